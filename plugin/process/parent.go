package process

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// How often the parent is looked at. The kernel's signal comes first; this is for
// when it does not.
const parentEvery = time.Second

// EndWithParent makes the process end with its parent. A worker that is killed takes
// nothing down with it: Kong's master starts a new worker, which starts a new server.
// It returns an error if the parent is gone already.
func EndWithParent() error {
	parent := os.Getppid()
	if orphan(parent) {
		return fmt.Errorf("the worker that started process %d is gone", os.Getpid())
	}
	ready := make(chan error)
	go func() {
		// The kernel keeps the wish with the thread that utters it.
		runtime.LockOSThread()
		err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
		if err != nil {
			err = fmt.Errorf("asking for a signal at the death of process %d: %w", parent, err)
		}
		ready <- err
		// The parent may have died before it was asked for, and the signal is not sent
		// for a parent that only its main thread survives.
		for os.Getppid() == parent {
			time.Sleep(parentEvery)
		}
		os.Exit(1)
	}()
	return <-ready
}

// orphan tells whether the parent is one that adopts rather than one that starts
// servers. Kong's workers do; its master, process 1 in a container, adopts.
func orphan(parent int) bool {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", parent))
	return err == nil && bytes.HasPrefix(title, []byte("nginx: master process"))
}
