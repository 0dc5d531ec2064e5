package loadbalancer

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// forwarder forwards the traffic of one port.
type forwarder interface {
	// forwardTo sets the endpoints. Connections keep their endpoint. Datagrams keep theirs as long as it is among them.
	forwardTo([]netip.AddrPort)
	// close closes the port. Connections go on.
	close()
}

// listen opens a port.
func listen(protocol corev1.Protocol, at netip.AddrPort, log *slog.Logger) (forwarder, error) {
	log = log.With("at", at, "protocol", protocol)
	switch protocol {
	case corev1.ProtocolTCP:
		listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			return nil, fmt.Errorf("open port %d: %w", at.Port(), err)
		}
		return forwardTCP(listener, log), nil
	case corev1.ProtocolUDP:
		socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil, fmt.Errorf("open port %d: %w", at.Port(), err)
		}
		return forwardUDP(socket, log), nil
	default:
		return nil, fmt.Errorf("open port %d: protocol %s is not supported", at.Port(), protocol)
	}
}
