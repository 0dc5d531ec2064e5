package kong

import (
	"net/netip"
	"strings"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// Certificate returns a certificate without server names.
func Certificate(c route.Certificate) *Entity {
	return entity(Certificates, c.ID, "", gokong.Certificate{
		ID:   &c.ID,
		Cert: &c.Cert,
		Key:  &c.Key,
		Tags: gokong.StringSlice(c.Tags...),
	})
}

// SNI returns a server name of a certificate: a host name, "*." and a domain, or "*".
func SNI(name, certificateID string) *Entity {
	id := ID(SNIs, name)
	return entity(SNIs, id, name, declaredSNI{
		SNI:         gokong.SNI{ID: &id, Name: &name},
		Certificate: certificateID,
	}, Ref{Certificates, certificateID})
}

// CACertificate returns a certificate by which services verify their endpoints.
func CACertificate(c route.CACertificate) *Entity {
	return entity(CACertificates, c.ID, "", gokong.CACertificate{
		ID:   &c.ID,
		Cert: &c.Cert,
		Tags: gokong.StringSlice(c.Tags...),
	})
}

// IsName reports whether Kong treats a host as a name, which a certificate requires. Kong treats
// digits and dots as an address, even an invalid one.
func IsName(host string) bool { return strings.Trim(host, "0123456789.") != "" }

// IsHost reports whether Kong accepts a well-formed host or address.
func IsHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return IsName(host) || err == nil
}
