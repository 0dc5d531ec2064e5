package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// backWithin is how long Kong may take to answer again after it gave no answer.
	backWithin = 5 * time.Second
	// mostUnclear is how often in a row it may give none for no reason that can be seen.
	mostUnclear = 3
)

// errHung is why a request is given up.
var errHung = errors.New("a worker hangs")

// watched calls a function that sends a change of some bytes, and gives up as soon as another
// worker tells that one hangs over it.
func (g *Gateway) watched(ctx context.Context, bytes int, send func(context.Context)) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(g.patience(bytes), func() {
		for ctx.Err() == nil {
			if state, err := g.peek(ctx); err == nil && len(state.hung(g.patience(bytes))) > 0 {
				cancel(errHung)
			}
			time.Sleep(200 * time.Millisecond)
		}
	})
	defer timer.Stop()
	send(ctx)
}

// patience is for how long a worker may be at a change of some bytes.
func (g *Gateway) patience(bytes int) time.Duration {
	return min(g.admin.timeout, deltaWithin) + allowance(bytes)
}

// hung are the workers that are at a configuration for longer than they may.
func (s State) hung(most time.Duration) (hung []Worker) {
	for _, w := range s.Busy {
		if w.Seconds >= most.Seconds() {
			hung = append(hung, w)
		}
	}
	return hung
}

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
	case lost(failed), err == nil && (!state.Companion || g.endHung(state)):
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

// endHung ends the workers that hang over a configuration, and reports whether there are
// any. Requests that come to such a worker wait for as long as it does; the one in its place
// takes them.
func (g *Gateway) endHung(state State) (hung bool) {
	for _, w := range state.hung(g.patience(0)) {
		hung = true
		g.log.Error("A worker of Kong hangs over what it was sent, and is ended", "pid", w.PID, "seconds", int(w.Seconds))
		if err := endWorker(w.PID); err != nil {
			g.log.Error("The worker cannot be ended", "pid", w.PID, "error", err)
		}
	}
	return hung
}

// endWorker ends a process if it is a worker of nginx.
func endWorker(pid int) error {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(title, []byte("nginx: worker process")) {
		return fmt.Errorf("process %d is %q", pid, title)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
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
