package lab

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The network of the namespace. It has no default route.
const (
	// Bridge connects this namespace with the network namespaces of pods.
	Bridge = "pods"
	// HostIP is this namespace's address on the bridge, where pods reach the API server.
	HostIP = "10.244.0.1"
)

var (
	// PodCIDR holds the addresses of pods.
	PodCIDR = netip.MustParsePrefix("10.244.0.0/16")
	// GatewayCIDR holds addresses on which any process of the test can listen: one for each Gateway, so that each has its
	// port 80. Backends without a namespace of their own may use them as well, because an EndpointSlice cannot have
	// 127.0.0.0/8.
	GatewayCIDR = netip.MustParsePrefix("10.245.0.0/16")
	// LoadBalancerCIDR holds the addresses of Services of type LoadBalancer.
	LoadBalancerCIDR = netip.MustParsePrefix("10.246.0.0/16")
)

func setUpNetwork() error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback device: %w", err)
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("set the loopback device up: %w", err)
	}
	for _, cidr := range []netip.Prefix{GatewayCIDR, LoadBalancerCIDR} {
		addresses, err := netlink.ParseIPNet(cidr.String())
		if err != nil {
			return err
		}
		local := &netlink.Route{
			LinkIndex: loopback.Attrs().Index, Dst: addresses,
			Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
		}
		if err := netlink.RouteAdd(local); err != nil {
			return fmt.Errorf("make %s local: %w", cidr, err)
		}
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: Bridge}}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("create the bridge: %w", err)
	}
	address, err := netlink.ParseAddr(HostIP + "/32")
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(bridge, address); err != nil {
		return fmt.Errorf("give the bridge address %s: %w", HostIP, err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("set the bridge up: %w", err)
	}
	return routePods()
}

// routePods makes this namespace the router between pods. Each pod has a route. A client of a pod that is gone gets an
// error at once; on a common network it would wait for an answer.
func routePods() error {
	pods, err := netlink.ParseIPNet(PodCIDR.String())
	if err != nil {
		return err
	}
	if err := netlink.RouteAdd(&netlink.Route{Dst: pods, Type: unix.RTN_UNREACHABLE}); err != nil {
		return fmt.Errorf("make %s unreachable: %w", PodCIDR, err)
	}
	for name, value := range map[string]string{
		"ip_forward":                         "1",
		"conf/all/send_redirects":            "0", // pods don't see each other
		"conf/" + Bridge + "/send_redirects": "0",
	} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0); err != nil {
			return fmt.Errorf("set net.ipv4 %s: %w", name, err)
		}
	}
	return nil
}
