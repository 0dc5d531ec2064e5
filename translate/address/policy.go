package address

import (
	"net/netip"
	"slices"
)

// Policy decides which addresses are denied. The zero value denies the built-in ranges.
type Policy struct {
	// Denied are ranges that the operator adds to the built-in ones.
	Denied []netip.Prefix
	// Allowed are exceptions from all denied addresses.
	Allowed []netip.Prefix
	// Own are the addresses of the gateway.
	Own []netip.Addr
	// APIServer are the addresses of the Kubernetes API server.
	APIServer []netip.Addr
	// Learned are addresses that are denied because of objects in the cluster.
	Learned Learned
	// AllowOwnHost permits the gateway's own addresses, loopback and link-local.
	AllowOwnHost bool
}

// Learned maps denied addresses and ports to the end of the sentence "10.0.0.1 is …". Port 0
// stands for all ports.
type Learned map[netip.AddrPort]string

// Add denies addresses at all ports.
func (l Learned) Add(what string, addresses []netip.Addr) { l.AddPorts(what, addresses, []uint16{0}) }

// AddPorts denies addresses at some ports.
func (l Learned) AddPorts(what string, addresses []netip.Addr, ports []uint16) {
	for _, a := range addresses {
		for _, port := range ports {
			l[netip.AddrPortFrom(a, port)] = what
		}
	}
}

// Ends of the sentence "10.0.0.1 is …".
const (
	OfGateway   = "an address of the gateway"
	OfAPIServer = "an address of the Kubernetes API server"
	Leading     = "the cluster IP of a Service with a denied endpoint"
)

// Range is a denied part of the address space.
type Range struct {
	netip.Prefix
	// What is the end of the sentence "10.0.0.1 is …".
	What string
	// OwnHost is set if the range is on the gateway's host or link.
	OwnHost bool
}

const (
	unspecified = "an unspecified address"
	loopback    = "a loopback address"
	linkLocal   = "a link-local address"
	multicast   = "a multicast address"
	metadata    = "the address of a cloud metadata service"
)

var builtIn = []Range{
	ofOwnHost("0.0.0.0/8", unspecified),
	ofOwnHost("127.0.0.0/8", loopback),
	ofOwnHost("169.254.0.0/16", linkLocal),
	always("224.0.0.0/4", multicast),
	always("255.255.255.255/32", "the broadcast address"),
	ofOwnHost("::/128", unspecified),
	ofOwnHost("::1/128", loopback),
	ofOwnHost("fe80::/10", linkLocal),
	always("ff00::/8", multicast),
	// Most clouds serve metadata at 169.254.169.254. These are the others.
	always("100.100.100.200/32", metadata),     // Alibaba Cloud
	always("168.63.129.16/32", metadata),       // Azure
	always("192.0.0.192/32", metadata),         // Oracle Cloud
	always("fd00:ec2::/32", metadata),          // AWS: metadata, pod identities
	always("fd20:ce::254/128", metadata),       // Google Cloud
	always("fd00:c1::a9fe:a9fe/128", metadata), // Oracle Cloud
	always("fd00:42::42/128", metadata),        // Scaleway
	always("fd00:a9fe:a9fe::1/128", metadata),  // Akamai
	always("fd00:100::100:200/128", metadata),  // Alibaba Cloud
}

func ofOwnHost(prefix, what string) Range { return Range{netip.MustParsePrefix(prefix), what, true} }

func always(prefix, what string) Range { return Range{netip.MustParsePrefix(prefix), what, false} }

// BuiltIn returns the ranges that are denied without any setting.
func BuiltIn() []Range { return slices.Clone(builtIn) }

// Reason returns the end of the sentence "10.0.0.1 is …" for an address that is denied at all
// ports; empty if the address is allowed.
func (p Policy) Reason(address netip.Addr) string { return p.ReasonAt(address, 0) }

// ReasonAt is Reason for an address at a port.
func (p Policy) ReasonAt(address netip.Addr, port uint16) string {
	if !address.IsValid() {
		return "not an address"
	}
	forms := forms(address)
	for _, form := range forms {
		if contains(p.Allowed, form) {
			return ""
		}
	}
	for _, form := range forms {
		if reason := p.reason(form, port); reason != "" {
			return reason
		}
	}
	return ""
}

func (p Policy) reason(address netip.Addr, port uint16) string {
	if contains(p.Denied, address) {
		return "denied by the setting DENIED_ADDRESSES"
	}
	for _, r := range builtIn {
		if r.Contains(address) {
			return p.unlessAllowed(r.OwnHost, r.What)
		}
	}
	if slices.Contains(p.Own, address) {
		return p.unlessAllowed(true, OfGateway)
	}
	if slices.Contains(p.APIServer, address) {
		return OfAPIServer
	}
	if what, ok := p.Learned[netip.AddrPortFrom(address, 0)]; ok {
		return what
	}
	return p.Learned[netip.AddrPortFrom(address, port)]
}

func (p Policy) unlessAllowed(ownHost bool, what string) string {
	if ownHost && p.AllowOwnHost {
		return ""
	}
	return what
}

func contains(prefixes []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(address) })
}
