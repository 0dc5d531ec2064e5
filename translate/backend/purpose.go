package backend

import "github.com/kube-sync/kube-sync/translate/route"

// UseStreamProtocol makes of a protocol for requests the one for connections: a Service that an
// Ingress uses too says its protocol for that.
func (f For) UseStreamProtocol(b *route.Backend) {
	switch {
	case f == Datagrams:
		b.Protocol, b.Path = "udp", ""
		b.ClientCertificate, b.TLSVerify, b.TLSVerifyDepth, b.CACertificates = "", nil, nil, nil
	case f == Connections && (b.Protocol == "https" || b.Protocol == "grpcs" || b.Protocol == "tls"):
		b.Protocol, b.Path = "tls", ""
	case f == Connections:
		b.Protocol, b.Path = "tcp", ""
	}
}
