package routing

import (
	"strconv"
	"strings"
)

// reserved are the characters that Kong leaves encoded in the path by which it routes.
const reserved = "!*'();:@&=+$,/?%#[]"

// Normalized returns a path as Kong's router sees it in a request: with repeated slashes merged,
// percent-encoding decoded except for reserved characters, and dot elements resolved.
func Normalized(path string) string {
	path = decoded(path)
	if !strings.Contains(path, "/.") {
		return path
	}
	elements := strings.Split(path[1:], "/")
	var kept []string
	for i, e := range elements {
		if e != "." && e != ".." {
			kept = append(kept, e)
			continue
		}
		if e == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if i == len(elements)-1 {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// decoded merges slashes and decodes percent-encoding.
func decoded(path string) string {
	var b strings.Builder
	b.Grow(len(path) + 1)
	b.WriteByte('/')
	slash := true
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch code, encoded := percent(path[i:]); {
		case encoded && strings.IndexByte(reserved, code) < 0:
			b.WriteByte(code)
			i += 2
		case encoded:
			b.WriteString(strings.ToUpper(path[i : i+3]))
			i += 2
		case c == '/' && slash:
			continue
		default:
			b.WriteByte(c)
		}
		slash = c == '/'
	}
	return b.String()
}

// percent returns the encoded byte at the start of a string.
func percent(text string) (byte, bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	code, err := strconv.ParseUint(text[1:3], 16, 8)
	return byte(code), err == nil
}
