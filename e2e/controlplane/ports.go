package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

// ports are kept over restarts of the components.
type ports struct {
	etcd, etcdPeer, apiServer, controllerManager int
}

// The ports lie below those that the kernel gives to outgoing connections. A client that retries while a component is
// stopped could otherwise be given the component's port, and even connect to itself.
const (
	portsFrom        = 20000
	portsToByDefault = 32768
)

func freePorts() (ports, error) {
	var p ports
	portsTo := portsToByDefault
	if data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		var first int
		if _, err := fmt.Sscan(string(data), &first); err == nil && first > portsFrom+1000 {
			portsTo = first
		}
	}
	taken := map[int]bool{}
	for _, port := range []*int{&p.etcd, &p.etcdPeer, &p.apiServer, &p.controllerManager} {
		for tries := 0; *port == 0; tries++ {
			if tries == 1000 {
				return p, fmt.Errorf("no free port between %d and %d", portsFrom, portsTo)
			}
			if candidate := portsFrom + rand.IntN(portsTo-portsFrom); !taken[candidate] && free(candidate) {
				taken[candidate], *port = true, candidate
			}
		}
	}
	return p, nil
}

func free(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	_ = listener.Close()
	return true
}
