package inspect

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// State is what the agent's loop has. It may be used only within a question.
type State interface {
	// Graph is the translation.
	Graph() *unit.Graph
	// Held yields the units whose entities Kong holds, with these entities, in no order.
	Held() iter.Seq[unit.View]
	// Settled reports whether Kong has acknowledged everything that arrived.
	Settled() bool
}

// Desk takes questions to the agent's loop. The loop answers them between two applies, because the
// translation is not safe for concurrent use.
type Desk struct{ questions chan func(State) }

// NewDesk returns a desk whose questions no loop answers yet.
func NewDesk() *Desk { return &Desk{questions: make(chan func(State))} }

// Questions are for the loop, which calls each function with its state.
func (d *Desk) Questions() <-chan func(State) {
	if d == nil {
		return nil
	}
	return d.questions
}

// ErrBusy says that the loop did not answer in time.
var ErrBusy = errors.New("kube-sync is applying a configuration, or is still starting; try again")

// Ask calls a function with the loop's state, and returns after it. It returns [ErrBusy] if the
// context ends before, and an error if the function panics. The function must be brief and must not
// keep the state; it is called in the loop's goroutine.
func (d *Desk) Ask(ctx context.Context, question func(State)) (err error) {
	done := make(chan struct{})
	guarded := func(s State) {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil { // a question must not end the loop
				err = fmt.Errorf("the question failed: %v", cause)
			}
		}()
		question(s)
	}
	select {
	case d.questions <- guarded:
		<-done
		return err
	case <-ctx.Done():
		return ErrBusy
	}
}
