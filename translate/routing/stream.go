package routing

import (
	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

func StreamExpression(s route.Stream) expression.Expr {
	terms := []expression.Expr{expression.EqualInt(expression.NetDstPort, int64(s.Port))}
	if s.SNI != "" {
		terms = append(terms, deep(sni, s.SNI))
	}
	for _, name := range s.NotSNIs {
		terms = append(terms, expression.Not(deep(sni, name)))
	}
	return expression.And(terms...)
}

// exactSNI is above the longest domain of a wildcard.
const exactSNI = 512

// StreamPriority orders a name before a wildcard before no name, and longer wildcards before
// shorter ones.
func StreamPriority(name route.Host) uint64 {
	switch {
	case name == "":
		return 1
	case name.Wildcard():
		return 1 + limited(len(name.Domain()), exactSNI-2)
	}
	return exactSNI
}
