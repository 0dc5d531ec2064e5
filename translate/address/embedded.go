package address

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

var (
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// forms returns an address without its zone, and the IPv4 addresses that packets to it may reach:
// those that a translator or a tunnel extracts from an IPv6 address.
func forms(address netip.Addr) []netip.Addr {
	address = address.WithZone("").Unmap()
	if address.Is4() {
		return []netip.Addr{address}
	}
	all := []netip.Addr{address}
	b := address.As16()
	switch {
	case compatible.Contains(address) && binary.BigEndian.Uint32(b[12:]) > 1, // neither :: nor ::1
		translated.Contains(address), nat64.Contains(address):
		all = append(all, v4(b[12:]))
	case localNAT64.Contains(address):
		all = append(all, locallyTranslated(b)...)
	case sixToFour.Contains(address):
		all = append(all, v4(b[2:]))
	case teredo.Contains(address):
		all = append(all, v4(b[4:]), v4([]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	return all
}

// locallyTranslated returns the IPv4 addresses that an address of the local-use translation
// prefix (RFC 8215) may embed. A network chooses a prefix of 48, 56, 64 or 96 bits and does not
// announce which. If it is shorter than 96 bits, the bits after the IPv4 address are zero (RFC
// 6052). A result in 0.0.0.0/8 means a wrong length.
func locallyTranslated(b [16]byte) (all []netip.Addr) {
	for _, read := range [][]byte{
		{b[6], b[7], b[9], b[10]},
		{b[7], b[9], b[10], b[11]},
		{b[9], b[10], b[11], b[12]},
		b[12:],
	} {
		all = append(all, v4(read))
	}
	switch {
	case !zero(b[13:]):
		all = all[3:]
	case b[12] != 0:
		all = all[2:3]
	case b[11] != 0:
		all = all[1:3]
	default:
		all = all[:3]
	}
	return slices.DeleteFunc(all, func(read netip.Addr) bool { return read.As4()[0] == 0 })
}

func v4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b[:4])) }

func zero(b []byte) bool { return !slices.ContainsFunc(b, func(octet byte) bool { return octet != 0 }) }
