package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// endWithTerminal calls stop once the terminal or the pipe that reads the output is closed. The kernel sends
// SIGHUP to the terminal's first process alone, and make, which may be that one, does not pass it on.
func endWithTerminal(output *os.File, stop func()) {
	for !closed(output) {
		time.Sleep(200 * time.Millisecond)
	}
	stop()
}

// closed reports whether what is written to a file is read no more.
func closed(output *os.File) bool {
	poll := []unix.PollFd{{Fd: int32(output.Fd())}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
}
