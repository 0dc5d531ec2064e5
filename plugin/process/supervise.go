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
	// backoffReset is how long a part has to run for the wait to start again at its minimum.
	backoffReset = time.Minute
)

// Supervise runs a part until the context ends. It starts the part again after an error or a panic,
// after a growing wait. The log names the part. The plugin server is not affected.
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

// PanicError is a recovered panic.
type PanicError struct {
	Value any
	// Stack is the stack of the goroutine that panicked.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Recover calls a function and turns a panic into a [*PanicError]. Every goroutine needs it at its
// root: a panic that is not recovered ends the plugin server.
func Recover(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return call()
}
