// Package freeport finds ports for processes that tests start and that open their ports later.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports are below those from which kernels take the local port of a connection, so that no
// connection gets one between its choice and its use. They are chosen at random, as tests of
// several packages run at once.
const (
	first = 10_000
	last  = 32_000
	tries = 1000
)

var (
	mu    sync.Mutex
	taken = map[int]bool{}
)

// Take returns a port, for TCP and UDP, that no process has open and that it has not returned
// before.
func Take() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for range tries {
		port := first + rand.IntN(last-first)
		if !taken[port] && isFree(port) {
			taken[port] = true
			return port, nil
		}
	}
	return 0, errors.New("no free port was found")
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

// Test is what a test is for this package.
type Test interface {
	Helper()
	Fatal(args ...any)
}

// Port is [Take] for tests: it fails the test where Take returns an error.
func Port(t Test) int {
	t.Helper()
	port, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Address is a free port at 127.0.0.1.
func Address(t Test) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(Port(t)))
}
