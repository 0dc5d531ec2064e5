package kubelet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// network gives pods their addresses and namespaces.
type network struct {
	bridge  netlink.Link
	gateway net.IP
	cidr    netip.Prefix
	origin  netns.NsHandle // where the bridge is

	mu    sync.Mutex
	last  netip.Addr // addresses are assigned in turn, so that a released one is not soon in use again
	taken map[netip.Addr]bool
	made  int
}

// podNetwork is the network of one pod. A pod on the host's network has no namespace.
type podNetwork struct {
	network   *network
	namespace netns.NsHandle
	address   netip.Addr
	own       bool
}

func newNetwork(bridge, hostIP string, cidr netip.Prefix) (*network, error) {
	link, err := netlink.LinkByName(bridge)
	if err != nil {
		return nil, fmt.Errorf("find bridge %s: %w", bridge, err)
	}
	host, err := netip.ParseAddr(hostIP)
	if err != nil {
		return nil, fmt.Errorf("the host's address: %w", err)
	}
	origin, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open the network namespace: %w", err)
	}
	return &network{
		bridge: link, gateway: net.IP(host.AsSlice()), cidr: cidr.Masked(), origin: origin,
		last: host, taken: map[netip.Addr]bool{host: true},
	}, nil
}

// host is the network of pods on the host's network.
func (n *network) host() *podNetwork {
	address, _ := netip.AddrFromSlice(n.gateway)
	return &podNetwork{network: n, namespace: netns.None(), address: address}
}

// add creates a namespace and connects it to the bridge.
func (n *network) add() (*podNetwork, error) {
	address, number, err := n.take()
	if err != nil {
		return nil, err
	}
	p := &podNetwork{network: n, namespace: netns.None(), address: address, own: true}
	err = n.in(netns.None(), func() (err error) {
		p.namespace, err = netns.New()
		return err
	})
	if err == nil {
		err = p.connect("pod" + strconv.Itoa(number))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the pod's network: %w", err), p.remove())
	}
	return p, nil
}

func (p *podNetwork) connect(hostDevice string) error {
	const podDevice = "eth0"
	attributes := netlink.NewLinkAttrs()
	attributes.Name = hostDevice
	attributes.MasterIndex = p.network.bridge.Attrs().Index
	veth := &netlink.Veth{LinkAttrs: attributes, PeerName: podDevice, PeerNamespace: netlink.NsFd(p.namespace)}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("make device %s: %w", hostDevice, err)
	}
	if err := netlink.LinkSetUp(veth); err != nil {
		return fmt.Errorf("set device %s up: %w", hostDevice, err)
	}
	handle, err := netlink.NewHandleAt(p.namespace)
	if err != nil {
		return fmt.Errorf("open the pod's namespace: %w", err)
	}
	defer handle.Close()
	for _, name := range []string{"lo", podDevice} {
		link, err := handle.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find the pod's device %s: %w", name, err)
		}
		if err := handle.LinkSetUp(link); err != nil {
			return fmt.Errorf("set the pod's device %s up: %w", name, err)
		}
		if name == podDevice {
			if err := p.route(handle, link); err != nil {
				return err
			}
		}
	}
	return nil
}

// route gives the pod its address and a default route over the bridge.
func (p *podNetwork) route(pod *netlink.Handle, device netlink.Link) error {
	if err := pod.AddrAdd(device, &netlink.Addr{IPNet: single(p.ip())}); err != nil {
		return fmt.Errorf("give the pod address %s: %w", p.address, err)
	}
	index := device.Attrs().Index
	gateway := &netlink.Route{LinkIndex: index, Dst: single(p.network.gateway), Scope: netlink.SCOPE_LINK}
	if err := pod.RouteAdd(gateway); err != nil {
		return fmt.Errorf("set the pod's route to its gateway: %w", err)
	}
	if err := pod.RouteAdd(&netlink.Route{LinkIndex: index, Gw: p.network.gateway, Src: p.ip()}); err != nil {
		return fmt.Errorf("set the pod's default route: %w", err)
	}
	if err := netlink.RouteAdd(p.hostRoute()); err != nil {
		return fmt.Errorf("set the route to the pod: %w", err)
	}
	return nil
}

// hostRoute is the host's route to the pod. Without it the pod's address is unreachable, and clients get an error at once.
func (p *podNetwork) hostRoute() *netlink.Route {
	return &netlink.Route{
		LinkIndex: p.network.bridge.Attrs().Index, Dst: single(p.ip()), Src: p.network.gateway,
		Scope: netlink.SCOPE_LINK,
	}
}

func (p *podNetwork) ip() net.IP { return net.IP(p.address.AsSlice()) }

func single(ip net.IP) *net.IPNet {
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
}

// do calls the function on a thread in the pod's namespace, in which processes that it starts are as well.
func (p *podNetwork) do(f func() error) error { return p.network.in(p.namespace, f) }

// remove frees the address. The kernel removes the namespace and its devices when it has no processes.
func (p *podNetwork) remove() error {
	if !p.own {
		return nil
	}
	err := netlink.RouteDel(p.hostRoute())
	if errors.Is(err, unix.ESRCH) {
		err = nil // it was not connected
	}
	p.network.mu.Lock()
	delete(p.network.taken, p.address)
	p.network.mu.Unlock()
	if !p.namespace.IsOpen() {
		return err
	}
	return errors.Join(err, p.namespace.Close())
}

// in calls the function on a thread that enters the namespace, or on any locked thread if there is none.
func (n *network) in(namespace netns.NsHandle, f func() error) error {
	runtime.LockOSThread()
	if namespace.IsOpen() {
		if err := netns.Set(namespace); err != nil {
			runtime.UnlockOSThread()
			return fmt.Errorf("enter the pod's network namespace: %w", err)
		}
	}
	err := f()
	if back := netns.Set(n.origin); back != nil {
		// The thread stays locked and ends with this goroutine, because it may still be in the namespace.
		return errors.Join(err, fmt.Errorf("leave the pod's network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

func (n *network) take() (netip.Addr, int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for tries := 0; tries < 1<<16; tries++ {
		n.last = n.last.Next()
		if !n.cidr.Contains(n.last) || !n.cidr.Contains(n.last.Next()) { // the last one is the broadcast address
			n.last = n.cidr.Addr().Next()
		}
		if !n.taken[n.last] {
			n.taken[n.last] = true
			n.made++
			return n.last, n.made, nil
		}
	}
	return netip.Addr{}, 0, fmt.Errorf("no address is left in %s", n.cidr)
}
