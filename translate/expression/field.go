package expression

import (
	"errors"
	"fmt"
	"strings"
)

// Field is a text field of a request, with the transformations applied to it.
// Only this package makes Fields, so no text from outside becomes an identifier.
// The zero Field is of no use: an expression over it does not pass Validate.
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

// The fields with a fixed name. NetProtocol, TLSSNI and the Net fields of numbers
// and addresses exist in both routers, the others only in the one for HTTP.
//
// In HTTP, NetDstPort is the port in the Host header if there is one, so a client
// chooses it, and only without one the port of the connection. Kong caches what it
// routed by the latter, and by the header only if some expression uses HTTPHost.
var (
	HTTPHost    = Field{name: "http.host"}   // Host header without port, letters as sent
	HTTPPath    = Field{name: "http.path"}   // normalized path without query
	HTTPMethod  = Field{name: "http.method"} // as sent
	NetProtocol = Field{name: "net.protocol"}
	TLSSNI      = Field{name: "tls.sni"}

	NetSrcPort          = IntField{name: "net.src.port"}
	NetDstPort          = IntField{name: "net.dst.port"} // see below
	HTTPPathSegmentsLen = IntField{name: "http.path.segments.len"}

	NetSrcIP = IPField{name: "net.src.ip"}
	NetDstIP = IPField{name: "net.dst.ip"}
)

const (
	headerPrefix  = "http.headers."
	queryPrefix   = "http.queries."
	segmentPrefix = "http.path.segments."
)

// Header is the field of a request header, in any case: X-Tenant becomes
// http.headers.x_tenant. Kong reads '_' as either '_' or '-'. It is an error if
// the name has a character other than ASCII letters, digits, '-' and '_': Kong's
// grammar has no way to say it.
func Header(name string) (Field, error) {
	ident := strings.ReplaceAll(asciiLower(name), "-", "_")
	if err := checkName(ident); err != nil {
		return Field{}, fmt.Errorf("header name %q: %w", name, err)
	}
	return Field{name: headerPrefix + ident}, nil
}

// Query is the field of a query parameter, its case preserved. It is an error if
// the name has a character other than ASCII letters, digits and '_', '-' included:
// unlike for headers, Kong has no substitute for it.
func Query(name string) (Field, error) {
	if err := checkName(name); err != nil {
		return Field{}, fmt.Errorf("query parameter name %q: %w", name, err)
	}
	return Field{name: queryPrefix + name}, nil
}

// Lower is f in lower case. Kong maps all of Unicode, not only ASCII.
func Lower(f Field) Field {
	f.lower = true
	return f
}

// Any is f where one of several values is enough for a predicate to hold. Without it
// every value must satisfy the predicate.
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

// checkName is the part of an identifier after a wildcard's prefix: without '.',
// which the grammar allows but no wildcard of the schema spans.
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

// asciiLower leaves characters beyond ASCII alone, so that none maps into ASCII.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
