package expression

import (
	"errors"
	"fmt"
	"strings"
)

// Field is a string field of a request, with its transformations. Only this package makes Fields,
// so no outside text becomes an identifier. Expressions over the zero Field do not pass Validate.
type Field struct {
	name       string
	lower, any bool
}

// IntField is a field that holds a number, such as a port.
type IntField struct {
	name string
	any  bool
}

// IPField is a field that holds an IP address.
type IPField struct {
	name string
	any  bool
}

// The fields with fixed names. NetProtocol, TLSSNI and the numeric and address fields of Net
// exist in both routers, the others only in the HTTP router.
//
// In HTTP, NetDstPort is the port in the Host header, which the client chooses, or else the port
// of the connection. Kong's cache key has the latter, and has the header only if some expression
// uses HTTPHost.
var (
	HTTPHost    = Field{name: "http.host"}   // Host header without port, letters as sent
	HTTPPath    = Field{name: "http.path"}   // normalized path without query
	HTTPMethod  = Field{name: "http.method"} // as sent
	NetProtocol = Field{name: "net.protocol"}
	TLSSNI      = Field{name: "tls.sni"}

	NetSrcPort          = IntField{name: "net.src.port"}
	NetDstPort          = IntField{name: "net.dst.port"} // see above
	HTTPPathSegmentsLen = IntField{name: "http.path.segments.len"}

	NetSrcIP = IPField{name: "net.src.ip"}
	NetDstIP = IPField{name: "net.dst.ip"}
)

const (
	headerPrefix  = "http.headers."
	queryPrefix   = "http.queries."
	segmentPrefix = "http.path.segments."
)

// Header returns the field of a request header, case-insensitively: X-Tenant becomes
// http.headers.x_tenant. Kong treats '_' as either '_' or '-'. It is an error if the name has a
// character other than ASCII letters, digits, '-' and '_', because Kong's grammar cannot express
// it.
func Header(name string) (Field, error) {
	ident := strings.ReplaceAll(asciiLower(name), "-", "_")
	if err := checkName(ident); err != nil {
		return Field{}, fmt.Errorf("header name %q: %w", name, err)
	}
	return Field{name: headerPrefix + ident}, nil
}

// Query returns the field of a query parameter, case-sensitively. It is an error if the name has
// a character other than ASCII letters, digits and '_'. Unlike for headers, '-' is not allowed.
func Query(name string) (Field, error) {
	if err := checkName(name); err != nil {
		return Field{}, fmt.Errorf("query parameter name %q: %w", name, err)
	}
	return Field{name: queryPrefix + name}, nil
}

// Lower returns f in lower case. Kong maps all of Unicode, not only ASCII.
func Lower(f Field) Field {
	f.lower = true
	return f
}

// Any returns f such that one of several values must satisfy a predicate. Without it, every value
// must.
func Any(f Field) Field {
	f.any = true
	return f
}

// String is f as in an expression. Of nested transformations it keeps one each.
func (f Field) String() string { return string(f.append(nil)) }

// String is f as in an expression.
func (f IntField) String() string { return string(f.append(nil)) }

// String is f as in an expression.
func (f IPField) String() string { return string(f.append(nil)) }

var errEmptyName = errors.New("is empty")

// checkName checks the part of an identifier after a wildcard's prefix. The grammar allows '.',
// but no wildcard of the schema matches it.
func checkName(s string) error {
	if s == "" {
		return errEmptyName
	}
	for i, r := range s {
		if r >= 0x80 || !isWord(s[i]) {
			return fmt.Errorf("character %q cannot be written in an identifier", r)
		}
	}
	return nil
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isWord(c byte) bool  { return isAlpha(c) || isDigit(c) || c == '_' }

// asciiLower keeps characters beyond ASCII, so that none maps to ASCII.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
