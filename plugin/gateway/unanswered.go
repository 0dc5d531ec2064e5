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

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
)

const (
	// answerWithin is how long Kong may take to answer another request after it left one
	// unanswered.
	answerWithin = 5 * time.Second
	// maxUnclear is how many consecutive requests may stay unanswered for no known reason.
	maxUnclear = 3
)

// classifyUnanswered returns what an unanswered request means, as soon as Kong answers another one.
// It returns nil if Kong holds the configuration with the hash. It returns failed if what was sent
// is the likely cause: the connection was lost, or a worker hangs. Otherwise Kong may only have
// been too slow, and it returns an error after which the same is sent again, a few times.
func (g *Gateway) classifyUnanswered(ctx context.Context, hash string, failed error) error {
	state, err := g.awaitState(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && hash != "" && state.Hash == hash:
		return nil
	case connectionLost(failed), err == nil && (!state.Companion || g.killHung(state, failed)):
		return failed
	}
	if g.unclear++; g.unclear < maxUnclear {
		return &adminapi.BusyError{Message: failed.Error()}
	}
	if err != nil {
		// Sending a part of it could cost the last worker.
		g.warnJournal(g.journal.crashed(g.now()))
		return &adminapi.BusyError{Message: failed.Error()}
	}
	return failed
}

// awaitState waits until Kong answers.
func (g *Gateway) awaitState(ctx context.Context) (state adminapi.State, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for {
		if state, err = g.quickState(ctx); err == nil {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return state, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// quickState asks any worker that answers at once.
func (g *Gateway) quickState(ctx context.Context) (adminapi.State, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return g.admin.State(ctx)
}

// unanswered reports whether Kong gave no answer: a worker may hang, or may have died.
func unanswered(err error) bool {
	failed, ok := errors.AsType[*adminapi.FailedError](err)
	return ok && failed.Status == 0
}

// connectionLost reports whether the connection was lost before there was an answer.
func connectionLost(err error) bool {
	failed, ok := errors.AsType[*adminapi.FailedError](err)
	return ok && failed.Lost
}

// maxProcessorTime is the processor time that a worker may take for a small change. It takes
// milliseconds, and half a second for the first change with a fault.
const maxProcessorTime = 2 * time.Second

// withHangWatch calls a function that sends a change of some bytes. It cancels the request as soon
// as another worker reports one that hangs over it.
func (g *Gateway) withHangWatch(ctx context.Context, bytes int, send func(context.Context)) {
	if !g.companion { // which reports the busy workers
		send(ctx)
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	timer := time.AfterFunc(g.lookAfter, func() {
		defer close(done)
		if g.hung = g.awaitHung(ctx, maxProcessorTime+adminapi.Allowance(bytes)); g.hung != 0 {
			cancel(adminapi.ErrHung)
		}
	})
	send(ctx)
	cancel(nil)
	if !timer.Stop() {
		<-done
	}
}

// lookAfter is how long a change may take before the gateway looks at the workers.
const lookAfter = 300 * time.Millisecond

// awaitHung returns the process id of a worker that has processed one configuration for more than a
// processor time, or zero when the context ends.
func (g *Gateway) awaitHung(ctx context.Context, most time.Duration) int {
	type begun struct{ seconds, used float64 }
	first := map[int]begun{}
	for ctx.Err() == nil {
		state, err := g.quickState(ctx)
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

// killHung kills the workers that hang over a configuration, and reports whether there are any.
// Requests to such a worker would wait for it; its successor takes them.
func (g *Gateway) killHung(state adminapi.State, failed error) (ended bool) {
	for _, w := range state.Busy {
		if w.PID != g.hung && w.Seconds < allowedTime(failed).Seconds() {
			continue
		}
		g.log.Error("A worker of Kong hangs over what it was sent; it is killed", "pid", w.PID, "seconds", int(w.Seconds))
		if err := killWorker(w.PID); err != nil {
			g.log.Error("The worker of Kong cannot be killed", "pid", w.PID, "error", err)
		}
		ended = true
	}
	g.hung = 0
	return ended
}

// allowedTime returns how long Kong had for its answer.
func allowedTime(err error) time.Duration {
	if failed, ok := errors.AsType[*adminapi.FailedError](err); ok && failed.Within > 0 {
		return failed.Within
	}
	return time.Hour
}

// killWorker kills a process if it is a worker of nginx.
func killWorker(pid int) error {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(title, []byte("nginx: worker process")) {
		return fmt.Errorf("process %d is %q", pid, title)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// processorTime returns the processor time that a process has used: fields 14 and 15 of
// proc_pid_stat(5), in hundredths of a second.
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
