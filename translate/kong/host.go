package kong

import (
	"net/netip"
	"strings"
)

// IsName reports whether Kong treats a host as a name, which a certificate requires. Kong treats
// digits and dots as an address, even an invalid one.
func IsName(host string) bool { return strings.Trim(host, "0123456789.") != "" }

// IsHost reports whether Kong accepts a well-formed host or address.
func IsHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return IsName(host) || err == nil
}
