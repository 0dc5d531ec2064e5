package kong

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// A priority orders the routes that match one request. It has Kong's 46 bits; from
// the highest:
//
//	1 bit    a port, whose requests are nobody else's
//	9 bits   the host: one name before a wildcard, the longer domain first, before a name
//	         with an open end, the longer first, before none
//	         of one host, all the following bits but the place are set for requests over
//	         connections for others, which come first
//	1 bit    an exact path before all others
//	11 bits  the length of the path
//	1 bit    a method
//	5 bits   the number of headers
//	5 bits   the number of query parameters
//	1 bit    a server name
//	1 bit    a pattern for the path
//	11 bits  the place among routes of the same rank, if they have one
//
// Every route is of the one match that it has, never of the longest in a group,
// and where the route comes from plays no part. Fallbacks come after all others, whatever their
// path, and what no route takes is last.
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

// The ranks of hosts. Those of open ends and wildcards begin with the one before, to which the
// bytes that are given are added: names have 253 at most.
const (
	fallback = iota + 1 // zero is for what no route takes
	anyHost
	maxHostLength = 253
	openHost      = anyHost
	wildcardHost  = openHost + maxHostLength
	oneHost       = wildcardHost + maxHostLength + 1
	foremost      = oneHost + 1
)

// Priority is the rank of a match among those that a request may have.
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

// pathLength is how much of a path a match pins down, however the path is spelled. A
// trailing slash after path elements pins nothing down, but "/" does more than nothing at
// all.
func pathLength(p route.Path) uint64 {
	value := p.Value
	switch {
	case p.Kind == route.Last:
		return 2 // more than nothing, and less than what any element before it is
	case p.Kind == route.Regex:
		value = strings.TrimPrefix(value, "^")
	case p.Kind == route.Elements:
		value = strings.TrimRight(normalized(value), "/") + "/"
	case value != "":
		value = normalized(value)
	}
	return limited(len(value), maxPathLength)
}

func limited(n, limit int) uint64 { return uint64(min(n, limit)) }
