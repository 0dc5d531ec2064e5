package kongtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a gateway that runs in the foreground, as in a container.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Run starts a gateway in a process group of its own, out of reach of the terminal's signals. It gets SIGTERM when the
// calling process ends.
func Run(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The parent-death signal belongs to the thread that sets it.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Pid returns the process id: of nginx's master process, if the gateway is Kong.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the gateway has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err returns why the gateway ended, after Done is closed.
func (p *Process) Err() error { return p.err }

// Signal sends a signal. It does nothing if the gateway has ended.
func (p *Process) Signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

// End sends a signal and waits until the gateway has ended. It kills the process group if that takes longer than within.
func (p *Process) End(signal syscall.Signal, within time.Duration) {
	p.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(within):
		_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
		<-p.done
	}
}

// Workers returns the process ids of Kong's workers in ascending order, without those that are shutting down.
func (p *Process) Workers() []int {
	return Processes(func(pid int, command string) bool {
		return strings.HasPrefix(command, "nginx: worker process") && !strings.Contains(command, "shutting down") && Parent(pid) == p.Pid()
	})
}

// Processes returns the ids of the processes of this machine for which match is true, in ascending order. The arguments of
// a command are separated by spaces.
func Processes(match func(pid int, command string) bool) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var pids []int
	for _, file := range files {
		command, err := os.ReadFile(file)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && len(command) > 0 && match(pid, strings.ReplaceAll(string(command), "\x00", " ")) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// Parent returns the parent of a process, or 0 if the process does not exist.
func Parent(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			parent, _ := strconv.Atoi(strings.TrimSpace(value))
			return parent
		}
	}
	return 0
}
