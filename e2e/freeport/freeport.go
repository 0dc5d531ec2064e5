// Package freeport finds ports for processes that tests start and that open their ports later.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync"
)

// The ports are below the kernel's range of local ports, so that no connection takes one between its
// choice and its use. The lab's control plane has those above.
const (
	first = 10_000
	last  = 20_000
	tries = 1000
)

var (
	mu    sync.Mutex
	taken = map[int]net.Listener{} // the reservations, until the process ends
)

// Take returns a port, for TCP and UDP, that no process has open, and that Take has not returned in this
// process or in another one that still runs.
func Take() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for range tries {
		port := first + rand.IntN(last-first)
		if _, ours := taken[port]; ours || !isFree(port) {
			continue
		}
		if reservation, err := reserve(port); err == nil {
			taken[port] = reservation
			return port, nil
		}
	}
	return 0, errors.New("no free port was found")
}

// reserve keeps the tests of other packages, which run at once, from a port. An abstract socket
// belongs to the network namespace, as ports do, and leaves no file. Only Linux has them.
func reserve(port int) (net.Listener, error) {
	if runtime.GOOS != "linux" {
		return nil, nil
	}
	return net.Listen("unix", fmt.Sprintf("@kube-sync/freeport/%d", port))
}

func isFree(port int) bool {
	address := fmt.Sprintf(":%d", port)
	stream, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer stream.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	defer packets.Close()
	return true
}

// Test is the part of testing.TB that this package needs.
type Test interface {
	Helper()
	Fatal(args ...any)
}

// Port is [Take] for tests. It fails the test if Take returns an error.
func Port(t Test) int {
	t.Helper()
	port, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Address returns a free port at 127.0.0.1, "host:port".
func Address(t Test) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(Port(t)))
}
