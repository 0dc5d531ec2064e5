package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/prometheus/procfs"
)

// port is a port on loopback, and the flag that sets it.
type port struct {
	number int
	how    string
}

func (p port) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

// listen opens the port. An error names it, the process that uses it, and the setting.
func (p port) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", p.address())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use by %s: stop it or choose another port with %s", p.number, listener(p.number), p.how)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on port %d (%s): %w", p.number, p.how, err)
	}
	return l, nil
}

// free returns an error that names all ports that are in use.
func free(ports ...port) error {
	var busy error
	for _, p := range ports {
		l, err := p.listen()
		if err != nil {
			busy = errors.Join(busy, err)
			continue
		}
		defer l.Close() // the next one must not be the same
	}
	return busy
}

// listener names the process that listens on a TCP port of this machine.
func listener(number int) string {
	const unknown = "another process"
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return unknown
	}
	sockets := listening(fs, number)
	processes, _ := fs.AllProcs()
	for _, process := range processes {
		files, _ := process.FileDescriptorTargets() // none of a process of another user
		for _, file := range files {
			if sockets[file] {
				name, _ := process.Comm()
				return fmt.Sprintf("%s (process %d)", name, process.PID)
			}
		}
	}
	return unknown
}

// listening returns the sockets that listen on a port, as they are named among the files of a process.
func listening(fs procfs.FS, number int) map[string]bool {
	const listens = 0x0a // TCP_LISTEN of the kernel
	v4, _ := fs.NetTCP()
	v6, _ := fs.NetTCP6()
	sockets := map[string]bool{}
	for _, line := range append(v4, v6...) {
		if line.St == listens && line.LocalPort == uint64(number) {
			sockets[fmt.Sprintf("socket:[%d]", line.Inode)] = true
		}
	}
	return sockets
}
