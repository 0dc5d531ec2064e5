// Command sh is as much of a shell as a gateway's container needs, which starts its plugin
// servers by `sh -c "exec COMMAND ARGUMENTS"`. As a container's first process it mounts
// /proc, where a plugin server looks for its executable; package kubelet does not.
package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

func main() {
	if os.Getpid() == 1 {
		if err := mountProc(); err != nil {
			fmt.Fprintln(os.Stderr, "sh: mount /proc:", err)
			os.Exit(1)
		}
	}
	words := strings.Fields(os.Args[len(os.Args)-1])
	if len(words) < 2 || words[0] != "exec" {
		fmt.Fprintln(os.Stderr, "sh: this is no shell, it only does: exec COMMAND")
		os.Exit(2)
	}
	err := syscall.Exec(words[1], words[1:], os.Environ())
	fmt.Fprintln(os.Stderr, "sh:", words[1], err)
	os.Exit(127)
}

func mountProc() error {
	if err := os.MkdirAll("/proc", 0o555); err != nil {
		return err
	}
	return syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
}
