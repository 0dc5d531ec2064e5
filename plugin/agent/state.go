package agent

import (
	"iter"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// state is the loop as questions see it.
type state struct{ loop *loop }

// Graph implements [inspect.State].
func (s state) Graph() *unit.Graph { return s.loop.graph }

// Held implements [inspect.State].
func (s state) Held() iter.Seq[unit.View] { return s.loop.gateway.Held() }

// Settled implements [inspect.State].
func (s state) Settled() bool {
	l := s.loop
	return l.whole && l.complete && !l.due && l.backoff == 0 && len(l.awaited) == 0 && len(l.source.Pending()) == 0
}
