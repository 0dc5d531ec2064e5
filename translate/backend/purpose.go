package backend

import "github.com/kube-sync/kube-sync/translate/route"

// Purpose is the kind of traffic of a backend. A Service's port has a backend for each.
type Purpose string

// The kinds of traffic. A Facade is for requests too; the reference's Service is then the name of a
// KongServiceFacade.
const (
	Requests    Purpose = ""
	Connections Purpose = "tcp"
	Datagrams   Purpose = "udp"
	Facade      Purpose = "facade"
)

// UseStreamProtocol replaces an HTTP protocol with its stream equivalent: the annotations of a Service
// may name an HTTP protocol for Ingresses.
func (p Purpose) UseStreamProtocol(b *route.Backend) {
	switch {
	case p == Datagrams:
		b.Protocol, b.Path = "udp", ""
		b.ClientCertificate, b.TLSVerify, b.TLSVerifyDepth, b.CACertificates = "", nil, nil, nil
	case p == Connections && (b.Protocol == "https" || b.Protocol == "grpcs" || b.Protocol == "tls"):
		b.Protocol, b.Path = "tls", ""
	case p == Connections:
		b.Protocol, b.Path = "tcp", ""
	}
}
