package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	readyWithin   = 2 * time.Minute
	readyInterval = 25 * time.Millisecond
	stopWithin    = 3 * time.Second // etcd waits longer for open connections, to no one's use
)

// A component is one program of the control plane: how to start it, and its process while there is one.
type component struct {
	name   string
	flags  []string
	env    []string
	logDir string
	ready  func(context.Context) error // asks once
	exits  chan<- *process             // is told of every end
	run    *process                    // nil while stopped
}

type process struct {
	component *component
	cmd       *exec.Cmd
	done      chan struct{} // closed at its end
	err       error         // set before done is closed
}

// start starts the component's process, which dies with the calling thread.
func (c *component) start() error {
	if c.run != nil {
		return fmt.Errorf("%s runs already", c.name)
	}
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this executable: %w", err)
	}
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", c.name, err)
	}
	defer log.Close()
	cmd := exec.Command(executable, append([]string{c.name}, c.flags...)...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A process group of its own: ^C on a terminal is for `up`, which then ends components in their order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", c.name, err)
	}
	p := &process{component: c, cmd: cmd, done: make(chan struct{})}
	c.run = p
	go func() {
		p.err = cmd.Wait()
		close(p.done)
		c.exits <- p
	}()
	return nil
}

// waitReady returns once the component says that it is ready.
func (c *component) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	began := time.Now()
	for {
		asked, cancelAsked := context.WithTimeout(ctx, time.Second)
		err := c.ready(asked)
		cancelAsked()
		if err == nil {
			slog.Info("ready", "component", c.name, "after", time.Since(began).Round(time.Millisecond))
			return nil
		}
		select {
		case <-c.run.done:
			return c.run.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (its log: %s)", c.name, errors.Join(err, ctx.Err()), c.logFile())
		case <-time.After(readyInterval):
		}
	}
}

// stop sends the signal and waits for the end, by SIGKILL if it must.
func (c *component) stop(sig syscall.Signal) error {
	p := c.run
	if p == nil {
		return fmt.Errorf("%s does not run", c.name)
	}
	c.run = nil // so that the end counts as asked for
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", c.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		slog.Warn("killed, as it did not stop", "component", c.name, "within", stopWithin)
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return nil
}

func (c *component) logFile() string { return filepath.Join(c.logDir, c.name+".log") }

// failure says how a process ended that should not have.
func (p *process) failure() error {
	return fmt.Errorf("%s ended: %s (its log: %s)", p.component.name, p.cmd.ProcessState, p.component.logFile())
}
