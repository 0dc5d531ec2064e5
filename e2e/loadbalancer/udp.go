package loadbalancer

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// flowIdle is how long after the last datagram, in either direction, a client keeps its endpoint.
	flowIdle     = 30 * time.Second
	datagramSize = 64 << 10
)

// udp forwards the datagrams of one socket. Those of one client go to one endpoint.
type udp struct {
	turn
	socket *net.UDPConn
	log    *slog.Logger

	mu    sync.Mutex
	flows map[netip.AddrPort]*flow // by client
}

// flow is the traffic of one client. It has its own socket, which identifies the answers.
type flow struct {
	endpoint netip.AddrPort
	conn     *net.UDPConn
}

func forwardUDP(socket *net.UDPConn, log *slog.Logger) *udp {
	f := &udp{socket: socket, log: log, flows: map[netip.AddrPort]*flow{}}
	go f.receive()
	return f
}

func (f *udp) receive() {
	datagram := make([]byte, datagramSize)
	for {
		n, client, err := f.socket.ReadFromUDPAddrPort(datagram)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			f.log.Warn("no datagram received", "error", err)
			continue
		}
		to, err := f.flow(client)
		if to == nil {
			f.log.Info("datagram dropped", "client", client, "error", err)
			continue
		}
		_ = to.conn.SetReadDeadline(time.Now().Add(flowIdle))
		if _, err := to.conn.Write(datagram[:n]); err != nil {
			f.log.Info("datagram dropped", "client", client, "endpoint", to.endpoint, "error", err)
		}
	}
}

// flow returns a client's flow, or a new one to the next endpoint in turn. It returns an error if there is no endpoint.
func (f *udp) flow(client netip.AddrPort) (*flow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.flows[client]; known != nil {
		return known, nil
	}
	endpoints := f.order()
	if len(endpoints) == 0 {
		return nil, errors.New("there is no endpoint")
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(endpoints[0]))
	if err != nil {
		return nil, err
	}
	made := &flow{endpoint: endpoints[0], conn: conn}
	f.flows[client] = made
	go f.answer(client, made)
	return made, nil
}

// answer forwards answers to the client until the flow is idle or broken, or its endpoint is gone.
func (f *udp) answer(client netip.AddrPort, from *flow) {
	datagram := make([]byte, datagramSize)
	for {
		n, err := from.conn.Read(datagram)
		if err != nil {
			break
		}
		_ = from.conn.SetReadDeadline(time.Now().Add(flowIdle))
		if _, err := f.socket.WriteToUDPAddrPort(datagram[:n], client); err != nil {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = from.conn.Close()
	if f.flows[client] == from {
		delete(f.flows, client)
	}
}

func (f *udp) forwardTo(endpoints []netip.AddrPort) {
	f.turn.forwardTo(endpoints)
	f.endFlows(func(to *flow) bool { return !slices.Contains(endpoints, to.endpoint) })
}

func (f *udp) endFlows(which func(*flow) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for client, open := range f.flows {
		if which(open) {
			_ = open.conn.Close()
			delete(f.flows, client)
		}
	}
}

func (f *udp) close() {
	_ = f.socket.Close()
	f.endFlows(func(*flow) bool { return true })
}
