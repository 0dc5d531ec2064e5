package process

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// parentEvery is the interval of checks for the parent, in case the kernel's signal does not come.
const parentEvery = time.Second

// EndWithParent makes the process end with its parent, a worker of Kong. Kong's master then starts
// a new worker, which starts a new process. EndWithParent returns an error if the parent is already
// gone.
func EndWithParent() error {
	parent := os.Getppid()
	if orphan(parent) {
		return fmt.Errorf("the worker that started process %d is gone", os.Getpid())
	}
	ready := make(chan error)
	go func() {
		// The parent-death signal belongs to the thread that sets it.
		runtime.LockOSThread()
		err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		if err != nil {
			err = fmt.Errorf("setting the parent-death signal of process %d: %w", parent, err)
		}
		ready <- err
		// The parent may have died before the signal was set. The signal is also not sent while the
		// parent's main thread survives.
		for os.Getppid() == parent {
			time.Sleep(parentEvery)
		}
		os.Exit(1)
	}()
	return <-ready
}

// orphan reports whether the parent is Kong's master, process 1 in a container. Workers start
// plugin servers; the master adopts them when a worker dies.
func orphan(parent int) bool {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", parent))
	return err == nil && bytes.HasPrefix(title, []byte("nginx: master process"))
}
