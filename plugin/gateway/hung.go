package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// patience is how much processor time a worker may take for a small change. It takes
// milliseconds, and half a second for the first one that has a fault.
const patience = 2 * time.Second

// errHung is why a request is given up.
var errHung = errors.New("a worker hangs")

// watched calls a function that sends a change of some bytes, and gives up as soon as another
// worker tells of one that hangs over it.
func (g *Gateway) watched(ctx context.Context, bytes int, send func(context.Context)) {
	if !g.companion { // nobody tells
		send(ctx)
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	timer := time.AfterFunc(g.lookAfter, func() {
		defer close(done)
		if g.hung = g.awaitHung(ctx, patience+allowance(bytes)); g.hung != 0 {
			cancel(errHung)
		}
	})
	send(ctx)
	cancel(nil)
	if !timer.Stop() {
		<-done
	}
}

// lookAfter is how long a change may take before a look at the workers.
const lookAfter = 300 * time.Millisecond

// awaitHung returns the process of a worker that has been at one configuration for a time of
// the processor, or zero when the context ends.
func (g *Gateway) awaitHung(ctx context.Context, most time.Duration) int {
	type begun struct{ seconds, used float64 }
	first := map[int]begun{}
	for ctx.Err() == nil {
		state, err := g.peek(ctx)
		if err != nil {
			continue
		}
		for _, w := range state.Busy {
			used := g.processorTime(w.PID).Seconds()
			at, known := first[w.PID]
			if !known || w.Seconds < at.seconds {
				at = begun{w.Seconds, used}
				first[w.PID] = at
			}
			if used-at.used >= most.Seconds() {
				return w.PID
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAfter):
		}
	}
	return 0
}

// endHung ends the worker that hangs over a configuration, and reports whether there is one.
// Requests that come to such a worker wait for as long as it does; the one in its place takes
// them.
func (g *Gateway) endHung(state State, failed error) (ended bool) {
	for _, w := range state.Busy {
		if w.PID != g.hung && w.Seconds < withinOf(failed).Seconds() {
			continue
		}
		g.log.Error("A worker of Kong hangs over what it was sent, and is ended", "pid", w.PID, "seconds", int(w.Seconds))
		if err := endWorker(w.PID); err != nil {
			g.log.Error("The worker cannot be ended", "pid", w.PID, "error", err)
		}
		ended = true
	}
	g.hung = 0
	return ended
}

// withinOf is how long Kong had for its answer.
func withinOf(err error) time.Duration {
	if failed, ok := errors.AsType[*FailedError](err); ok && failed.Within > 0 {
		return failed.Within
	}
	return time.Hour
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

// processorTime is what a process has taken of it: fields 14 and 15 of proc_pid_stat(5), in
// hundredths of a second.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return time.Duration(user+system) * 10 * time.Millisecond
}
