package loadbalancer

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"time"
)

// dialWithin bounds the time to connect to one endpoint.
const dialWithin = 5 * time.Second

// tcp forwards the connections of one listener.
type tcp struct {
	turn
	listener *net.TCPListener
	log      *slog.Logger
}

func forwardTCP(listener *net.TCPListener, log *slog.Logger) *tcp {
	f := &tcp{listener: listener, log: log}
	go f.accept()
	return f
}

func (f *tcp) accept() {
	for {
		client, err := f.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			f.log.Warn("no connection accepted", "error", err)
			time.Sleep(10 * time.Millisecond) // too many files are open
			continue
		}
		go f.forward(client)
	}
}

// forward returns when both sides have ended, or one is broken.
func (f *tcp) forward(client *net.TCPConn) {
	defer client.Close()
	endpoint := f.dial()
	if endpoint == nil {
		reset(client)
		return
	}
	defer endpoint.Close()
	ended := make(chan error, 2)
	go func() { ended <- pass(client, endpoint) }()
	go func() { ended <- pass(endpoint, client) }()
	for range 2 {
		if err := <-ended; err != nil {
			reset(client)
			reset(endpoint)
		}
	}
}

// dial connects to the next endpoint in turn, or else to another. It returns nil if none answers.
func (f *tcp) dial() *net.TCPConn {
	for _, endpoint := range f.order() {
		conn, err := net.DialTimeout("tcp", endpoint.String(), dialWithin)
		if err == nil {
			return conn.(*net.TCPConn)
		}
		f.log.Info("endpoint does not answer", "endpoint", endpoint, "error", err)
	}
	return nil
}

// pass copies one direction, and then closes it. The other direction goes on.
func pass(to, from *net.TCPConn) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.CloseWrite()
}

// reset resets a connection, so that the other side gets an error.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

func (f *tcp) close() { _ = f.listener.Close() }
