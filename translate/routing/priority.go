package routing

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// A priority orders the routes that match one request. It has Kong's 46 bits; from
// the highest:
//
//	1 bit    a port, whose requests no other route shares
//	9 bits   the host: one name before a wildcard, the longer domain first, before a name
//	         with an open end, the longer first, before none
//	         for requests of one host over another host's connections, which come first,
//	         all the following bits but the place are set
//	1 bit    an exact path before all others
//	11 bits  the length of the path
//	1 bit    a method
//	5 bits   the number of headers
//	5 bits   the number of query parameters
//	1 bit    a server name
//	1 bit    a pattern for the path
//	11 bits  the place among routes of the same rank, if they have one
//
// A route's priority depends on its own match only, not on a group of matches or on the source of
// the route. Fallbacks come after all others, whatever their path, and routes for unmatched
// requests are last.
const (
	portShift       = 45
	hostShift       = 36
	pathExactShift  = 35
	pathLengthShift = 24
	methodShift     = 23
	headersShift    = 18
	queriesShift    = 13
	sniShift        = 12
	patternShift    = 11

	aboveHost = 1<<hostShift - 1<<patternShift

	maxPathLength = 1<<11 - 1
	maxValues     = 1<<5 - 1
)

// The ranks of hosts. Open ends and wildcards start at the previous rank and add the length of
// the given name, at most 253 bytes.
const (
	fallback = iota + 1 // zero is for unmatched requests
	anyHost
	maxHostLength = 253
	openHost      = anyHost
	wildcardHost  = openHost + maxHostLength
	oneHost       = wildcardHost + maxHostLength + 1
	foremost      = oneHost + 1
)

// Priority returns the rank of a match among those of one request.
func Priority(m route.Match) uint64 {
	if m.Untaken {
		return 0
	}
	var p uint64
	if m.Port != 0 {
		p |= 1 << portShift
	}
	p |= hostRank(m) << hostShift
	if !m.Fallback {
		p |= pathRank(m.Path)
	}
	if len(m.Connections) > 0 {
		return p | aboveHost
	}
	if len(m.Methods) > 0 {
		p |= 1 << methodShift
	}
	if len(m.SNIs) > 0 {
		p |= 1 << sniShift
	}
	return p | limited(len(m.Headers), maxValues)<<headersShift | limited(len(m.Queries), maxValues)<<queriesShift
}

func pathRank(path route.Path) uint64 {
	rank := pathLength(path) << pathLengthShift
	switch path.Kind {
	case route.Exact:
		rank |= 1 << pathExactShift
	case route.Regex, route.Last:
		rank |= 1 << patternShift
	}
	return rank
}

func hostRank(m route.Match) uint64 {
	switch h := m.Host; {
	case m.Fallback:
		return fallback
	case m.Foremost:
		return foremost
	case h == "":
		return anyHost
	case h.Open():
		return openHost + limited(len(h.Begin()), maxHostLength)
	case h.Wildcard():
		return wildcardHost + limited(len(h.Domain()), maxHostLength)
	}
	return oneHost
}

// pathLength returns how much of a path a match determines, independent of its spelling. A final
// slash after path elements adds nothing, but "/" is more than an empty path.
func pathLength(p route.Path) uint64 {
	value := p.Value
	switch {
	case p.Kind == route.Last:
		return 2 // more than "/", less than any element
	case p.Kind == route.Regex:
		value = strings.TrimPrefix(value, "^")
	case p.Kind == route.Elements:
		value = strings.TrimRight(Normalized(value), "/") + "/"
	case value != "":
		value = Normalized(value)
	}
	return limited(len(value), maxPathLength)
}

func limited(n, limit int) uint64 { return uint64(min(n, limit)) }
