package address_test

import (
	"net/netip"
	"testing"

	"github.com/kube-sync/kube-sync/translate/address"
)

func prefixes(all ...string) (parsed []netip.Prefix) {
	for _, p := range all {
		parsed = append(parsed, netip.MustParsePrefix(p))
	}
	return parsed
}

func addresses(all ...string) (parsed []netip.Addr) {
	for _, a := range all {
		parsed = append(parsed, netip.MustParseAddr(a))
	}
	return parsed
}

func TestReason(t *testing.T) {
	const (
		loopback, linkLocal, unspecified = "a loopback address", "a link-local address", "an unspecified address"
		multicast, metadata              = "a multicast address", "the address of a cloud metadata service"
		own, apiServer, denied           = "an address of the gateway", "an address of the Kubernetes API server", "denied by the setting DENIED_ADDRESSES"
	)
	policy := address.Policy{
		Denied: prefixes("10.66.0.0/16", "2001:db8:66::/48"), Allowed: prefixes("10.66.7.0/24", "169.254.20.10/32"),
		Own: addresses("10.0.0.7", "2001:db8::7"), APIServer: addresses("10.96.0.1"),
	}
	for text, want := range map[string]string{
		"10.0.0.1": "", "192.168.0.1": "", "172.16.0.1": "", "8.8.8.8": "", "100.64.0.1": "", "240.0.0.1": "", "2001:db8::1": "", "fd00::1": "",
		"::ffff:10.0.0.1": "", "64:ff9b::a00:1": "", "2002:a00:1::1": "",

		"127.0.0.1": loopback, "127.255.255.254": loopback, "::1": loopback, "0.0.0.0": unspecified, "0.0.0.1": unspecified, "::": unspecified,
		"169.254.169.254": linkLocal, "169.254.170.2": linkLocal, "fe80::1": linkLocal, "fe80::a9fe:a9fe": linkLocal, "fe80::1%eth0": linkLocal,
		"224.0.0.1": multicast, "239.255.255.255": multicast, "ff02::1": multicast, "255.255.255.255": "the broadcast address",
		"100.100.100.200": metadata, "168.63.129.16": metadata, "192.0.0.192": metadata, "fd00:ec2::254": metadata, "fd00:ec2::23": metadata,
		"fd20:ce::254": metadata, "fd00:c1::a9fe:a9fe": metadata, "fd00:42::42": metadata, "fd00:a9fe:a9fe::1": metadata, "fd00:100::100:200": metadata,

		"10.0.0.7": own, "2001:db8::7": own, "::ffff:10.0.0.7": own, "10.96.0.1": apiServer, "64:ff9b::10.96.0.1": apiServer,
		"10.66.0.1": denied, "10.66.7.1": "", "2001:db8:66::1": denied, "64:ff9b::10.66.0.1": denied, "64:ff9b::10.66.7.1": "",
		"169.254.20.10": "", "::ffff:169.254.20.10": "", "169.254.20.11": linkLocal,

		"::ffff:127.0.0.1": loopback, "::ffff:169.254.169.254": linkLocal, "::127.0.0.1": loopback, "::2": unspecified, "::ffff:0:127.0.0.1": loopback,
		"64:ff9b::127.0.0.1": loopback, "64:ff9b::a9fe:a9fe": linkLocal, "64:ff9b::100.100.100.200": metadata,
		"2002:7f00:1::": loopback, "2002:a9fe:a9fe::1": linkLocal,
		"2001:0:7f00:1::": loopback, "2001:0:a00:1::80ff:fffe": loopback, "2001:0:a00:1::f5ff:fffe": "", // of a client 127.0.0.1 or 10.0.0.1
		"64:ff9b:1::127.0.0.1": loopback, "64:ff9b:1:2:3:4:127.0.0.1": loopback, "64:ff9b:1::10.0.0.1": "",
		"64:ff9b:1:7f00:0:100::":   loopback,  // by a prefix of 48 bits
		"64:ff9b:1:7f:0:1::":       loopback,  // of 56
		"64:ff9b:1:0:7f:0:100::":   loopback,  // of 64
		"64:ff9b:1:0:a:0:100::":    "",        // 10.0.0.1 by 64
		"64:ff9b:1:a00:0:100::":    "",        // 10.0.0.1 by 48
		"64:ff9b:1:a9fe:a9:fe00::": linkLocal, // by 48
	} {
		if got := policy.Reason(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestAllowOwnHost(t *testing.T) {
	policy := address.Policy{AllowOwnHost: true, Own: addresses("10.0.0.7"), APIServer: addresses("10.96.0.1", "127.0.0.1")}
	for text, allowed := range map[string]bool{
		"127.0.0.1": true, "::1": true, "169.254.169.254": true, "fe80::1": true, "0.0.0.0": true, "10.0.0.7": true, "::ffff:127.0.0.1": true,
		"10.96.0.1": false, "224.0.0.1": false, "100.100.100.200": false, "fd00:ec2::254": false,
	} {
		if got := policy.Reason(netip.MustParseAddr(text)); (got == "") != allowed {
			t.Errorf("%s is %q", text, got)
		}
	}
}

func TestAddressesAtPorts(t *testing.T) {
	learned := address.Learned{}
	learned.Add(address.Leading, addresses("10.96.6.6"))
	learned.AddPorts(address.OfGateway, addresses("192.0.2.80", "2001:db8::80"), []uint16{80, 443})
	policy := address.Policy{Learned: learned, Allowed: prefixes("192.0.2.81/32")}
	for _, test := range []struct {
		text string
		port uint16
		want string
	}{
		{"10.96.6.6", 0, address.Leading}, {"10.96.6.6", 80, address.Leading},
		{"192.0.2.80", 80, address.OfGateway}, {"192.0.2.80", 443, address.OfGateway}, {"192.0.2.80", 8080, ""}, {"192.0.2.80", 0, ""},
		{"::ffff:192.0.2.80", 80, address.OfGateway}, {"64:ff9b::192.0.2.80", 80, address.OfGateway}, {"64:ff9b::192.0.2.80", 81, ""},
		{"2001:db8::80", 443, address.OfGateway}, {"2001:db8::80", 80, address.OfGateway}, {"2001:db8::80", 22, ""}, {"192.0.2.81", 80, ""},
	} {
		if got := policy.ReasonAt(netip.MustParseAddr(test.text), test.port); got != test.want {
			t.Errorf("%s at port %d is %q, want %q", test.text, test.port, got, test.want)
		}
	}
}

func TestZeroPolicyDeniesBuiltIn(t *testing.T) {
	for _, r := range address.BuiltIn() {
		if got := (address.Policy{}).Reason(r.Addr()); got != r.What {
			t.Errorf("%s is %q, want %q", r.Addr(), got, r.What)
		}
	}
	if (address.Policy{}).Reason(netip.Addr{}) == "" {
		t.Error("an invalid address is allowed")
	}
}
