package routing

import "fmt"

// priorityPart is a part of a priority and what its values mean.
type priorityPart struct {
	name        string
	shift, bits int
	text        func(value uint64) string
}

// priorityParts are the parts of a priority, the highest first.
var priorityParts = []priorityPart{
	{"port", portShift, 1, either("a port of its own", "any port")},
	{"host", hostShift, portShift - hostShift, hostText},
	{"path", pathExactShift, 1, either("an exact path", "a path that is not exact")},
	{"path length", pathLengthShift, pathExactShift - pathLengthShift, count("a path of", "character")},
	{"method", methodShift, 1, either("a method", "any method")},
	{"headers", headersShift, methodShift - headersShift, count("a match of", "header")},
	{"query parameters", queriesShift, headersShift - queriesShift, count("a match of", "query parameter")},
	{"server name", sniShift, 1, either("a server name", "any server name")},
	{"pattern", patternShift, 1, either("a pattern for the path", "a path without a pattern")},
	{"age", 0, placeBits, nil},
}

func either(set, unset string) func(uint64) string {
	return func(value uint64) string {
		if value == 0 {
			return unset
		}
		return set
	}
}

func count(what, thing string) func(uint64) string {
	return func(n uint64) string {
		if n == 1 {
			return what + " 1 " + thing
		}
		return fmt.Sprintf("%s %d %ss", what, n, thing)
	}
}

func hostText(rank uint64) string {
	switch {
	case rank == 0:
		return "requests that no other route takes"
	case rank == fallback:
		return "a default backend"
	case rank == anyHost:
		return "any host"
	case rank == foremost:
		return "connections for other hosts"
	case rank == oneHost:
		return "one host"
	case rank > wildcardHost:
		return fmt.Sprintf("a wildcard for a domain of %d characters", rank-wildcardHost)
	}
	return fmt.Sprintf("a host with an open end after %d characters", rank-openHost)
}

// Decision returns which part of two priorities decides that the higher one comes first, and why.
// The part is empty if the priorities are equal: Kong then has an order of its own.
func Decision(higher, lower uint64) (part, why string) {
	for _, p := range priorityParts {
		mask := uint64(1)<<p.bits - 1
		a, b := higher>>p.shift&mask, lower>>p.shift&mask
		switch {
		case a == b:
			continue
		case p.text == nil:
			return p.name, "the matches have the same rank, and the older object, or the first of its rules, comes first"
		}
		return p.name, p.text(a) + " comes before " + p.text(b)
	}
	return "", "the matches have the same priority, and Kong takes the one with the higher id"
}

// StreamDecision is [Decision] for the priorities of stream routes.
func StreamDecision(higher, lower uint64) (part, why string) {
	if higher == lower {
		return Decision(higher, lower)
	}
	return "server name", streamText(higher) + " comes before " + streamText(lower)
}

func streamText(priority uint64) string {
	switch {
	case priority <= 1:
		return "any server name"
	case priority < exactSNI:
		return fmt.Sprintf("a wildcard for a domain of %d characters", priority-1)
	}
	return "one server name"
}
