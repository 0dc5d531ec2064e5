package kong

import (
	"net/netip"
	"strings"
)

// IsName tells whether Kong takes a host for a name, as it has to be for a certificate:
// digits and dots alone are an address to it, even one that is none.
func IsName(host string) bool { return strings.Trim(host, "0123456789.") != "" }

// IsHost tells whether Kong takes a well-formed host, or address, at all.
func IsHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return IsName(host) || err == nil
}
