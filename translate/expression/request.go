package expression

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Request is what Kong's router sees of a request or a connection. A zero value means that the
// request lacks the field: predicates over it are false.
type Request struct {
	Protocol string // http, https, tcp, tls or udp; "" is http. grpc is http to the router
	Method   string
	Host     string // without port: see SplitHost
	Path     string // normalized, without query; starts with /
	SNI      string

	// Headers and Queries hold values by name. Header names are in lower case. A query parameter
	// without a value, such as ?a, has the value "".
	Headers map[string][]string
	Queries map[string][]string

	SrcIP, DstIP netip.Addr
	SrcPort      int
	DstPort      int // in HTTP, the port of the Host header if it has one: see SplitHost
}

// SplitHost splits a Host header as Kong does before routing: at the first colon, if only a decimal
// number follows. Otherwise, port is 0. Kong uses the port of the header as net.dst.port instead of
// the port of the connection.
func SplitHost(header string) (host string, port int) {
	before, after, ok := strings.Cut(header, ":")
	if !ok || after == "" || !allDigits(after) {
		return header, 0
	}
	port, err := strconv.Atoi(after)
	if err != nil {
		return header, 0
	}
	return before, port
}

// textSource is the part of a request that a field reads.
type textSource uint8

const (
	fromProtocol textSource = iota
	fromMethod
	fromHost
	fromPath
	fromSNI
	fromHeader
	fromQuery
	fromSegments
)

var textSources = map[string]textSource{
	"net.protocol": fromProtocol, "http.method": fromMethod, "http.host": fromHost,
	"http.path": fromPath, "tls.sni": fromSNI,
}

// textReader reads a field's values.
type textReader struct {
	source      textSource
	name        string // of the header or query parameter, as in the expression
	alias       string // of the header, with _ replaced by -
	first, last int    // segments
}

func newTextReader(field string) textReader {
	if s, ok := textSources[field]; ok {
		return textReader{source: s}
	}
	if name, ok := strings.CutPrefix(field, headerPrefix); ok {
		return textReader{source: fromHeader, name: name, alias: strings.ReplaceAll(asciiLower(name), "_", "-")}
	}
	if name, ok := strings.CutPrefix(field, queryPrefix); ok {
		return textReader{source: fromQuery, name: name}
	}
	t := textReader{source: fromSegments}
	first, last, isRange := strings.Cut(strings.TrimPrefix(field, segmentPrefix), "_")
	t.first, _ = segmentIndex(first)
	t.last = t.first
	if isRange {
		t.last, _ = segmentIndex(last)
	}
	return t
}

// read returns the value, or the values if there are several.
func (t *textReader) read(r *Request) (one string, many []string, ok bool) {
	switch t.source {
	case fromProtocol:
		if r.Protocol == "" {
			return "http", nil, true
		}
		return r.Protocol, nil, true
	case fromMethod:
		return r.Method, nil, r.Method != ""
	case fromHost:
		return r.Host, nil, r.Host != ""
	case fromPath:
		return r.Path, nil, r.Path != ""
	case fromSNI:
		return r.SNI, nil, r.SNI != ""
	case fromHeader:
		values, ok := r.Headers[t.name]
		if !ok {
			values = r.Headers[t.alias]
		}
		return split(values)
	case fromQuery:
		return split(r.Queries[t.name])
	}
	one, ok = segments(r.Path, t.first, t.last)
	return one, nil, ok
}

// split returns the value, or all values in order if there are several. Kong sorts them too, for
// its cache key before routing. Their order determines which value's captures remain.
func split(values []string) (one string, many []string, ok bool) {
	switch len(values) {
	case 0:
		return "", nil, false
	case 1:
		return values[0], nil, true
	}
	if !slices.IsSorted(values) {
		values = slices.Clone(values)
		slices.Sort(values)
	}
	return "", values, true
}

// trimPath returns a path without the first slash and without empty segments at the end.
func trimPath(path string) string {
	if path == "" {
		return ""
	}
	return strings.TrimRight(path[1:], "/")
}

func segmentCount(path string) int {
	if path = trimPath(path); path == "" {
		return 0
	}
	return 1 + strings.Count(path, "/")
}

// segments returns the first to last segment of path, with the slashes between them.
func segments(path string, first, last int) (string, bool) {
	rest := trimPath(path)
	if rest == "" {
		return "", false
	}
	for range first {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return "", false
		}
		rest = rest[i+1:]
	}
	end := 0
	for n := first; ; n++ {
		i := strings.IndexByte(rest[end:], '/')
		if i < 0 {
			return rest, n == last
		}
		if n == last {
			return rest[:end+i], true
		}
		end += i + 1
	}
}

// toLower is the function lower() of expressions. Kong maps İ to two characters. Go's table maps it
// only to the first of them, an ASCII letter.
func toLower(s string) string {
	if strings.Contains(s, "İ") {
		s = strings.ReplaceAll(s, "İ", "i\u0307")
	}
	return strings.ToLower(s)
}
