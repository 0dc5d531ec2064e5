package expression

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// kind is the type of a field or a literal.
type kind uint8

const (
	kindUnknown kind = iota
	kindString
	kindInt
	kindIP
	kindCIDR
)

func (k kind) String() string {
	switch k {
	case kindString:
		return "a string"
	case kindInt:
		return "an integer"
	case kindIP:
		return "an IP address"
	case kindCIDR:
		return "a CIDR block"
	}
	return "unknown"
}

// fixedFields are the fields without wildcards; true if the stream router has them.
var fixedFields = map[string]struct {
	kind   kind
	stream bool
}{
	"net.protocol":           {kindString, true},
	"tls.sni":                {kindString, true},
	"http.method":            {kindString, false},
	"http.host":              {kindString, false},
	"http.path":              {kindString, false},
	"net.src.port":           {kindInt, true},
	"net.dst.port":           {kindInt, true},
	"http.path.segments.len": {kindInt, false},
	"net.src.ip":             {kindIP, true},
	"net.dst.ip":             {kindIP, true},
}

// fieldKind returns the field's type in Kong's HTTP schema, a superset of the stream schema, or
// an error that says why Kong refuses the field.
func fieldKind(name string) (kind, error) {
	if f, ok := fixedFields[name]; ok {
		return f.kind, nil
	}
	for _, prefix := range [...]string{headerPrefix, queryPrefix} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			if strings.Contains(rest, ".") {
				return kindUnknown, fmt.Errorf("field %s: no . is allowed after %s", name, prefix)
			}
			return kindString, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, segmentPrefix); ok {
		if err := checkSegments(rest); err != nil {
			return kindUnknown, fmt.Errorf("field %s: %w", name, err)
		}
		return kindString, nil
	}
	if name == "net.port" {
		return kindUnknown, errors.New("unknown field net.port, now net.dst.port")
	}
	return kindUnknown, fmt.Errorf("unknown field %q", name)
}

var errSegments = errors.New("segments must be N or N_M with N < M and no leading zeros")

// checkSegments is the rule of Kong's route schema for http.path.segments.*.
func checkSegments(s string) error {
	first, last, isRange := strings.Cut(s, "_")
	n, ok := segmentIndex(first)
	if !ok {
		return errSegments
	}
	if isRange {
		if m, ok := segmentIndex(last); !ok || m <= n {
			return errSegments
		}
	}
	return nil
}

// segmentIndex parses a decimal without leading zeros. It refuses numbers beyond an int, which
// Kong accepts: no path has so many segments.
func segmentIndex(s string) (int, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || !isDigit(s[0]) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}
