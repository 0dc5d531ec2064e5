package process

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
	// What ran this long has not failed at once: the next wait is a short one.
	backoffReset = time.Minute
)

// Supervise runs until the context ends, and again after an error or a panic, with
// growing waits between; the log names the part. The plugin server around it goes on
// in either case.
func Supervise(ctx context.Context, log *slog.Logger, part string, run func(context.Context) error) {
	supervise(ctx, log.With("part", part), backoffFirst, run)
}

func supervise(ctx context.Context, log *slog.Logger, first time.Duration, run func(context.Context) error) {
	wait := first
	for ctx.Err() == nil {
		begun := time.Now()
		err := Recover(func() error { return run(ctx) })
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > backoffReset {
			wait = first
		}
		log.Error("A part stopped and is started again", "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, backoffMost)
	}
}

// PanicError is a panic that was recovered from.
type PanicError struct {
	Value any
	// Stack is that of the goroutine that panicked.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Recover calls a function and turns a panic into a [*PanicError]. Every goroutine
// needs it at its root: a panic that nobody recovers from ends the plugin server.
func Recover(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return call()
}
