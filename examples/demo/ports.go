package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	sockets := listening(number)
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // none of the processes of other users
	for _, file := range files {
		if socket, err := os.Readlink(file); err == nil && sockets[socket] {
			process := filepath.Dir(filepath.Dir(file))
			name, _ := os.ReadFile(filepath.Join(process, "comm"))
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), filepath.Base(process))
		}
	}
	return "another process"
}

// listening returns the sockets that listen on a TCP port, as they are named among the files of a process.
func listening(number int) map[string]bool {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			// The number of the line, local and remote address, state, four more, and the inode.
			columns := strings.Fields(line)
			const listen = "0A"
			if len(columns) > 9 && columns[3] == listen && strings.HasSuffix(columns[1], fmt.Sprintf(":%04X", number)) {
				sockets["socket:["+columns[9]+"]"] = true
			}
		}
	}
	return sockets
}
