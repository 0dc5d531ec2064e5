package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrSuperseded is the cause of the end of a context because a newer process has started.
var ErrSuperseded = errors.New("a newer process of this Kong takes over")

const (
	// turnEvery is how often a process checks whether a newer one has started or an older one has
	// stopped.
	turnEvery = 250 * time.Millisecond
	// turnRemind is how long a wait may take before the log says so, and how often it does.
	turnRemind = 10 * time.Second
)

// Turn is the place of a process in the order of one Kong's processes. The highest number may apply
// configuration; the lock ensures that those before it have stopped.
type Turn struct {
	number uint64
	claims *os.File
	lock   *os.File
}

// Claim takes the next number in Kong's prefix. It supersedes all earlier processes permanently:
// when this process dies, Kong starts another one.
func Claim(prefix string) (*Turn, error) {
	open := func(name string) (*os.File, error) {
		return os.OpenFile(filepath.Join(prefix, name), os.O_RDWR|os.O_CREATE, 0o600)
	}
	claims, err := open("kube-sync.turn")
	if err != nil {
		return nil, fmt.Errorf("claiming the turn: %w", err)
	}
	lock, err := open("kube-sync.lock")
	if err != nil {
		claims.Close()
		return nil, fmt.Errorf("claiming the turn: %w", err)
	}
	t := &Turn{claims: claims, lock: lock}
	if err := t.next(); err != nil {
		t.Close()
		return nil, fmt.Errorf("claiming the turn in %s: %w", claims.Name(), err)
	}
	return t, nil
}

// next writes the number after the one in the file.
func (t *Turn) next() error {
	fd := int(t.claims.Fd())
	if err := ignoringEINTR(func() error { return unix.Flock(fd, unix.LOCK_EX) }); err != nil {
		return err
	}
	defer unix.Flock(fd, unix.LOCK_UN) //nolint:errcheck // ends with the file at the latest
	last, err := t.last()
	if err != nil {
		return err
	}
	t.number = last + 1
	_, err = t.claims.WriteAt(fmt.Appendf(nil, "%020d\n", t.number), 0)
	return err
}

// last reads the highest number. It is 0 if the file is empty or has no number.
func (t *Turn) last() (uint64, error) {
	var text [21]byte
	n, err := t.claims.ReadAt(text[:], 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	number, _ := strconv.ParseUint(strings.TrimSpace(string(text[:n])), 10, 64)
	return number, nil
}

// Hold waits until all earlier processes have stopped, then calls run. The context of run ends with
// the cause ErrSuperseded soon after a newer process has started, and that process waits until run
// has returned. Hold returns what run returns, or ErrSuperseded if a newer process started before
// it was this one's turn.
func (t *Turn) Hold(ctx context.Context, log *slog.Logger, run func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go t.watch(ctx, cancel)

	begun, remind := time.Now(), time.Now().Add(turnRemind)
	for {
		err := unix.Flock(int(t.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("taking over: %w", err)
		}
		if time.Now().After(remind) {
			log.Warn("An older process of this Kong has not stopped applying configuration yet", "waiting_since", begun)
			remind = time.Now().Add(turnRemind)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(turnEvery / 2):
		}
	}
	defer unix.Flock(int(t.lock.Fd()), unix.LOCK_UN) //nolint:errcheck // ends with the process at the latest
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return run(ctx)
}

// watch cancels the context when a newer process has started.
func (t *Turn) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(turnEvery)
	defer ticker.Stop()
	for {
		if last, err := t.last(); err == nil && last > t.number {
			cancel(ErrSuperseded)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close gives up the turn.
func (t *Turn) Close() error {
	return errors.Join(t.claims.Close(), t.lock.Close())
}

func ignoringEINTR(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
