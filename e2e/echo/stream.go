package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

// serveLines answers each line of a TCP connection.
func serveLines(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				if _, err := fmt.Fprintln(conn, reply(lines.Text())); err != nil {
					return
				}
			}
		}()
	}
}

// serveDatagrams answers each UDP datagram.
func serveDatagrams(conn net.PacketConn) error {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		// The client may be gone.
		_, _ = conn.WriteTo([]byte(reply(strings.TrimSuffix(string(buffer[:n]), "\n"))+"\n"), from)
	}
}

func reply(text string) string { return os.Getenv("POD_NAME") + ": " + text }
