package gateway

import (
	"context"
	"errors"
	"time"
)

const (
	// backWithin is how long Kong may take to answer again after it gave no answer.
	backWithin = 5 * time.Second
	// mostUnclear is how often in a row it may give none for no reason that can be seen.
	mostUnclear = 3
)

// aftermath judges a request without an answer, as soon as Kong answers another. It returns
// nil if Kong holds the configuration with the hash, and the error that it was given if that
// accuses what was sent: the connection was lost, or a worker hangs. Otherwise Kong may just
// have had no time, and the error is one after which the same is sent again, a few times.
func (g *Gateway) aftermath(ctx context.Context, hash string, failed error) error {
	state, err := g.back(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && hash != "" && state.Hash == hash:
		return nil
	case lost(failed), err == nil && (!state.Companion || g.endHung(state, failed)):
		return failed
	}
	if g.unclear++; g.unclear < mostUnclear {
		return &BusyError{Message: failed.Error()}
	}
	if err != nil {
		// To send a part of it would be to risk the last worker for an answer.
		g.noted(g.ledger.condemn(g.now()))
		return &BusyError{Message: failed.Error()}
	}
	return failed
}

// back waits for an answer of Kong's.
func (g *Gateway) back(ctx context.Context) (state State, err error) {
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	for {
		if state, err = g.peek(ctx); err == nil {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return state, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// peek asks any worker that answers at once.
func (g *Gateway) peek(ctx context.Context) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return g.admin.State(ctx)
}

// silent reports whether Kong gave no answer: a worker may hang or have died over it.
func silent(err error) bool {
	failed, ok := errors.AsType[*FailedError](err)
	return ok && failed.Status == 0
}

// lost reports whether the connection was lost before there was an answer.
func lost(err error) bool {
	failed, ok := errors.AsType[*FailedError](err)
	return ok && failed.Lost
}
