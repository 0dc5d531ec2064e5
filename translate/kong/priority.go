package kong

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// A priority orders the routes that match one request. It has Kong's 46 bits; from
// the highest:
//
//	1 bit    a port, whose requests are nobody else's
//	2 bits   the host: one name before a wildcard before none; before all, what is misdirected
//	8 bits   the length of a wildcard's domain
//	1 bit    an exact path before all others
//	11 bits  the length of the path
//	1 bit    a method
//	5 bits   the number of headers
//	5 bits   the number of query parameters
//	1 bit    a server name
//	1 bit    a regular expression for the path
//	10 bits  the place among routes of the same rank, if they have one
//
// Every route is of the one match that it has, never of the longest in a group,
// and where the route comes from plays no part. Fallbacks come last: 1, or 0 for one that
// has headers and answers only where no fallback for all requests does.
const (
	portShift       = 45
	hostKindShift   = 43
	hostLengthShift = 35
	pathExactShift  = 34
	pathLengthShift = 23
	methodShift     = 22
	headersShift    = 17
	queriesShift    = 12
	sniShift        = 11
	regexShift      = 10

	maxHostLength = 1<<8 - 1
	maxPathLength = 1<<11 - 1
	maxValues     = 1<<5 - 1
	maxPlaces     = 1<<10 - 1
)

// Priority is the rank of a match among those that a request may have.
func Priority(m route.Match) uint64 {
	var p uint64
	if m.Port != 0 {
		p |= 1 << portShift
	}
	if m.Fallback && len(m.Headers) > 0 {
		return p
	}
	if m.Fallback {
		return p | 1
	}
	switch {
	case m.Misdirected:
		p |= 3 << hostKindShift
	case m.Host == "":
	case m.Host.Wildcard():
		p |= 1<<hostKindShift | limited(len(m.Host.Domain()), maxHostLength)<<hostLengthShift
	case m.Host.Open():
		p |= 1<<hostKindShift | limited(len(m.Host.Begin()), maxHostLength)<<hostLengthShift
	default:
		p |= 2 << hostKindShift
	}
	if m.Path.Kind == route.Exact {
		p |= 1 << pathExactShift
	}
	if len(m.Methods) > 0 {
		p |= 1 << methodShift
	}
	if len(m.SNIs) > 0 {
		p |= 1 << sniShift
	}
	if m.Path.Kind == route.Regex {
		p |= 1 << regexShift
	}
	return p | pathLength(m.Path)<<pathLengthShift |
		limited(len(m.Headers), maxValues)<<headersShift |
		limited(len(m.Queries), maxValues)<<queriesShift
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

// placeBits are higher the earlier the place is.
func placeBits(place int) uint64 {
	if place == 0 {
		return 0
	}
	return uint64(max(maxPlaces-place+1, 1))
}
