package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideVariable is set for the test binary in the namespaces. Two of its files are pipes.
const (
	insideVariable = "KUBE_SYNC_E2E_INSIDE"
	fromOutsideFD  = 3
	toOutsideFD    = 4
)

var errNoNamespaces = errors.New("this machine does not permit new namespaces")

// child is the test binary in the namespaces.
type child struct {
	cmd      *exec.Cmd
	toInside *os.File
}

// entered is the report of the test binary in the namespaces: whether these are set up.
type entered struct{ Error string }

// startInside runs this binary with the same arguments in new namespaces. It is the first process of its process
// namespace, so the kernel ends all others with it. It ends with the thread that starts it, which has to be the main one.
func startInside() (*child, error) {
	runtime.LockOSThread() // never unlocked: TestMain runs on the main goroutine, and this keeps its thread
	readSetup, toInside, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	defer readSetup.Close()
	fromInside, writeEntered, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("create a pipe: %w", err)
	}
	defer fromInside.Close()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{readSetup, writeEntered}
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = namespaces()
	err = cmd.Start()
	_ = writeEntered.Close()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoNamespaces, err)
	}
	c := &child{cmd: cmd, toInside: toInside}
	var report entered
	if err := json.NewDecoder(fromInside).Decode(&report); err != nil {
		c.kill()
		return nil, fmt.Errorf("the test binary in the namespaces ended early: %w", err)
	}
	if report.Error != "" {
		c.kill()
		return nil, fmt.Errorf("%w: %s", errNoNamespaces, report.Error)
	}
	return c, nil
}

func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// wait forwards signals, and returns the exit code of the tests.
func (c *child) wait() int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	go func() {
		for received := range signals {
			_ = c.cmd.Process.Signal(received)
		}
	}()
	err := c.cmd.Wait()
	if err == nil {
		return 0
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "lab: the test binary in the namespaces:", err)
	return 2
}

func (c *child) kill() {
	_ = c.toInside.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// enter sets the namespaces up, reports that, and waits for the programs.
func enter(built *setup) error {
	_ = os.Unsetenv(insideVariable) // the tests' processes are not the test binary
	fromOutside := os.NewFile(fromOutsideFD, "from outside")
	toOutside := os.NewFile(toOutsideFD, "to outside")
	defer fromOutside.Close()
	var report entered
	setupErr := errors.Join(setUpMounts(), setUpNetwork())
	if setupErr != nil {
		report.Error = setupErr.Error()
	}
	if err := json.NewEncoder(toOutside).Encode(report); err != nil {
		return fmt.Errorf("report the namespaces: %w", err)
	}
	_ = toOutside.Close()
	if setupErr != nil {
		return setupErr
	}
	err := json.NewDecoder(fromOutside).Decode(built)
	if errors.Is(err, io.EOF) {
		return errors.New("no tests are run, because not all programs were built")
	}
	return err
}

// setUpMounts makes mounts private to this namespace, and mounts /proc for its processes.
func setUpMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
