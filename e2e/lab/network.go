package lab

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What the network of the namespace looks like. It has no default route.
const (
	// Bridge connects this namespace with the pods, each of which has a network namespace of its own.
	Bridge = "pods"
	// HostIP is this namespace's own address on the bridge: pods reach the API server there.
	HostIP = "10.244.0.1"
)

var (
	// PodCIDR holds the addresses of pods.
	PodCIDR = netip.MustParsePrefix("10.244.0.0/16")
	// GatewayCIDR holds addresses which any process of the test can listen on: one a Gateway, so that each has its
	// port 80. Backends without a namespace of their own may take some too; an EndpointSlice refuses 127.0.0.0/8.
	GatewayCIDR = netip.MustParsePrefix("10.245.0.0/16")
	// LoadBalancerCIDR holds more of them: those that ControlPlane.LoadBalancer gives to Services.
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
		return fmt.Errorf("make the bridge: %w", err)
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

// routePods makes this namespace the router between pods. Each pod has a route; where there is none an answer comes at
// once, while on a common network a client would wait for one from a pod that is gone.
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
