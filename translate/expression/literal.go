package expression

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// literal is the right side of a comparison. The kind says which value is set.
type literal struct {
	kind  kind
	text  string
	n     int64
	addr  netip.Addr
	block netip.Prefix
}

// literal reads a literal. The order matters: as an integer, 1.2.3.4 would be 1 with a rest.
func (s *scanner) literal() (literal, error) {
	switch {
	case s.has(`"`):
		text, err := s.quoted()
		return literal{kind: kindString, text: text}, err
	case s.has(`r#"`):
		text, err := s.raw()
		return literal{kind: kindString, text: text}, err
	}
	if l, ok, err := s.address(); ok || err != nil {
		return l, err
	}
	return s.integer()
}

func (s *scanner) quoted() (string, error) {
	start := s.pos
	s.pos++
	var b strings.Builder
	for s.pos < len(s.src) {
		i := strings.IndexAny(s.src[s.pos:], `"\`)
		if i < 0 {
			break
		}
		b.WriteString(s.src[s.pos : s.pos+i])
		s.pos += i + 1
		if s.src[s.pos-1] == '"' {
			return b.String(), nil
		}
		c, ok := unescape(s.peek())
		if !ok {
			return "", s.expected(`one of " \ n r t after a backslash`)
		}
		b.WriteByte(c)
		s.pos++
	}
	return "", s.failf(start, `expected a closing " of the string that starts here`)
}

func unescape(c byte) (byte, bool) {
	switch c {
	case '"', '\\':
		return c, true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

func (s *scanner) raw() (string, error) {
	text, rest, ok := strings.Cut(s.src[s.pos+len(`r#"`):], `"#`)
	if !ok {
		return "", s.failf(s.pos, `expected a closing "# of the string that starts here`)
	}
	s.pos = len(s.src) - len(rest)
	return text, nil
}

// address reads an IP address or CIDR block; false, without reading, if there is none.
func (s *scanner) address() (literal, bool, error) {
	start := s.pos
	bitDigits := 2
	if !s.ipv4() {
		s.pos, bitDigits = start, 3
		if !s.ipv6() {
			s.pos = start
			return literal{}, false, nil
		}
	}
	text, end := s.src[start:s.pos], s.pos
	if s.accept("/") {
		bits := s.pos
		if s.while(bitDigits, isDigit) > 0 {
			block, err := s.block(start, text, s.src[bits:s.pos])
			return literal{kind: kindCIDR, block: block}, true, err
		}
	}
	s.pos = end
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return literal{}, false, s.failf(start, "%q is not an IP address", text)
	}
	return literal{kind: kindIP, addr: addr}, true, nil
}

// block parses text/bits. Unlike in an address, IPv4 numbers may have leading zeros.
func (s *scanner) block(start int, text, bits string) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		addr, err = netip.ParseAddr(trimZeros(text))
	}
	if err != nil {
		return netip.Prefix{}, s.failf(start, "%q is not an IP address", text)
	}
	n, _ := strconv.Atoi(bits)
	if n > addr.BitLen() {
		return netip.Prefix{}, s.failf(start, "CIDR block %s/%s is longer than %d bits", addr, bits, addr.BitLen())
	}
	block := netip.PrefixFrom(addr, n)
	if block.Masked() != block {
		return netip.Prefix{}, s.failf(start, "CIDR block %s has bits set in its host part", block)
	}
	return block, nil
}

// trimZeros returns an IPv4 address without leading zeros in its numbers.
func trimZeros(ipv4 string) string {
	numbers := strings.Split(ipv4, ".")
	for i, n := range numbers {
		if n = strings.TrimLeft(n, "0"); n == "" {
			n = "0"
		}
		numbers[i] = n
	}
	return strings.Join(numbers, ".")
}

func (s *scanner) ipv4() bool {
	for i := range 4 {
		if i > 0 && !s.accept(".") || s.while(3, isDigit) == 0 {
			return false
		}
	}
	return true
}

func (s *scanner) ipv6() bool {
	if !s.accept(":") && s.while(4, isHex) == 0 {
		return false
	}
	if !s.accept(":") {
		return false
	}
	s.while(len(s.src), func(c byte) bool { return c == ':' || isHex(c) })
	return true
}

// integer reads a decimal, 0x hexadecimal or 0 octal number. Of 0789 it reads 07, and of 09
// everything.
func (s *scanner) integer() (literal, error) {
	start := s.pos
	negative := s.accept("-")
	digits, base := s.pos, 10
	switch {
	case s.has("0") && s.pos+1 < len(s.src) && isOctal(s.src[s.pos+1]):
		base = 8
		s.while(len(s.src), isOctal)
	case s.has("0x") && s.pos+2 < len(s.src) && isHex(s.src[s.pos+2]):
		s.pos += 2
		digits, base = s.pos, 16
		s.while(len(s.src), isHex)
	default:
		s.while(len(s.src), isDigit)
	}
	if s.pos == digits {
		s.pos = start
		return literal{}, s.expected(`a literal: "text", r#"text"#, an integer, an IP address or a CIDR block`)
	}
	n, err := strconv.ParseInt(s.src[digits:s.pos], base, 64)
	if err != nil {
		return literal{}, s.failf(start, "integer %s does not fit in 64 bits", s.src[start:s.pos])
	}
	if negative {
		n = -n
	}
	return literal{kind: kindInt, n: n}, nil
}

func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// readable returns the offset of the first byte that Kong does not read unchanged.
func readable(src string) (int, bool) {
	for i, r := range src {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(src[i:]); n == 1 {
				return i, false
			}
		}
	}
	return 0, true
}
