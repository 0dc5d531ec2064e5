package translate

import (
	"net/netip"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/class"
	"github.com/kube-sync/kube-sync/translate/consumer"
	"github.com/kube-sync/kube-sync/translate/customentity"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/ingress"
	"github.com/kube-sync/kube-sync/translate/l4"
	"github.com/kube-sync/kube-sync/translate/license"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/tenancy"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/upstream"
	"github.com/kube-sync/kube-sync/translate/vault"
)

// Options are the operator's settings.
type Options struct {
	// IngressClass is the ingress class of the objects that are translated.
	IngressClass string
	Backend      backend.Options
	// Gateway is for Gateway API. New sets its Backend, LastResort and Isolated.
	Gateway gatewayapi.Options
	// Tenancy is what tenants may ask of the gateway. By default, the addresses that are denied to
	// backends are also denied to plugins.
	Tenancy tenancy.Options
	// Limits bound what objects make; zero values stand for the defaults.
	Limits limit.Limits
	// LastResort lists the namespaces that may choose the certificate for hosts without another one.
	LastResort certificate.LastResort
	// Certificate is for TLS key pairs and CA certificates.
	Certificate certificate.Options
}

// New returns a graph with all roles and no objects.
func New(o Options) *unit.Graph {
	g := unit.NewGraph(o.Limits)
	class.Define(g)
	o.Backend.IngressClass = o.IngressClass
	backend.Define(g, o.Backend)
	certificate.Define(g, o.Certificate)
	upstream.Define(g, o.Gateway.ControllerName())
	consumer.Define(g, o.IngressClass, o.Tenancy)
	grant.Define(g)
	if o.Tenancy.Denied == nil {
		o.Tenancy.Denied = func(a netip.Addr) bool { return o.Backend.Addresses.Reason(a) != "" }
	}
	plugin.Define(g, o.IngressClass, o.Tenancy)
	ingress.Define(g, o.IngressClass, o.LastResort, o.Tenancy.Isolated)
	l4.Define(g, l4.Options{IngressClass: o.IngressClass, Reserved: o.Gateway.Pool.Has, LastResort: o.LastResort, Isolated: o.Tenancy.Isolated})
	o.Gateway.Backend, o.Gateway.LastResort, o.Gateway.Isolated = o.Backend, o.LastResort, o.Tenancy.Isolated
	gatewayapi.Define(g, o.Gateway)
	vaults := vault.Rules{Class: o.IngressClass, Everyone: o.Tenancy.AllowVaults}
	vault.Define(g, vaults)
	customentity.Define(g, customentity.Options{Class: o.IngressClass, Tenancy: o.Tenancy, Vaults: vaults})
	license.Define(g)
	return g
}
