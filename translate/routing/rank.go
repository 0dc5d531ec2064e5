package routing

import (
	"strings"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Rank is the same for routes with equal priorities that one request may match, so that only
// their places decide. If the ranks of two routes differ, their priorities decide, or no request
// matches both.
//
// Besides the priority, it holds the parts of a match that have one value in a request. Ports,
// hosts and paths of one length exclude each other, except for paths that differ in a final
// slash. Regular expressions, and paths beyond the length that counts, may overlap: those of one
// priority and host have one rank.
type Rank struct {
	Priority    uint64
	Port        int
	Host        route.Host
	Path        string // without final slashes
	Overlapping bool   // paths do not exclude each other
}

// RankOf returns the rank of a match.
func RankOf(m route.Match) Rank {
	rank := Rank{Priority: Priority(m), Port: m.Port, Host: m.Host, Overlapping: overlapping(m.Path)}
	if !rank.Overlapping {
		rank.Path = strings.TrimRight(Normalized(m.Path.Value), "/")
	}
	return rank
}

// overlapping reports whether one request may match different paths of the kind and length.
func overlapping(p route.Path) bool {
	return p.Kind == route.Regex || p.Kind == route.Last || pathLength(p) == maxPathLength
}
