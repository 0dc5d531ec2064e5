package tenancy

import (
	"net/netip"
	"net/url"
	"strings"
)

// ownNames are names for an address of the gateway itself or of the cloud's metadata service,
// whatever they resolve to.
var ownNames = map[string]netip.Addr{
	"localhost":                netip.AddrFrom4([4]byte{127, 0, 0, 1}),
	"ip6-localhost":            netip.IPv6Loopback(),
	"ip6-loopback":             netip.IPv6Loopback(),
	"metadata":                 netip.AddrFrom4([4]byte{169, 254, 169, 254}),
	"metadata.google.internal": netip.AddrFrom4([4]byte{169, 254, 169, 254}),
}

// deniedHost reports whether a host in a configuration is an address that plugins must not name.
// Other names are checked when the gateway connects to them.
func (o Options) deniedHost(host string) bool {
	if o.Denied == nil {
		return false
	}
	if strings.HasPrefix(strings.ToLower(host), "unix:") || strings.HasPrefix(host, "/") {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if strings.HasSuffix(host, ".localhost") {
		host = "localhost"
	}
	if address, ok := ownNames[host]; ok {
		return o.Denied(address)
	}
	address, err := netip.ParseAddr(host)
	return err == nil && o.Denied(address.Unmap().WithZone(""))
}

// deniedURL is deniedHost for the host of a URL. Kong itself refuses invalid URLs.
func (o Options) deniedURL(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (o.Denied != nil && parsed.Scheme == "unix" || o.deniedHost(parsed.Hostname()))
}

// isLabel reports whether a string consists of characters that are valid in a host name.
func isLabel(text string) bool {
	for _, r := range text {
		if r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return text != ""
}
