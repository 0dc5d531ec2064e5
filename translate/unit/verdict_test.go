package unit_test

import (
	"testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func TestOneLine(t *testing.T) {
	for message, want := range map[string]string{
		"":                              "",
		`a "quoted" value with ü and 漢`: `a "quoted" value with ü and 漢`,
		"a\nlevel=ERROR msg=forged":     `a\nlevel=ERROR msg=forged`,
		"a\r\n\tb\x00":                  `a\r\n\tb\x00`,
		"\x1b[31mred":                   `\x1b[31mred`,
		"next\u0085line\u2028paragraph": `next\u0085line\u2028paragraph`,
		"right to \u202eleft":           `right to \u202eleft`,
	} {
		if got := unit.OneLine(message); got != want {
			t.Errorf("%q becomes %q, not %q", message, got, want)
		}
	}
}

func TestKindsHaveTheirArticles(t *testing.T) {
	for kind, want := range map[unit.Kind]string{
		unit.Ingress: "an Ingress", unit.IngressClass: "an IngressClass", unit.EndpointSlice: "an EndpointSlice", unit.HTTPRoute: "an HTTPRoute", unit.XListenerSet: "an XListenerSet",
		unit.GRPCRoute: "a GRPCRoute", unit.TLSRoute: "a TLSRoute", unit.UDPRoute: "a UDPRoute", unit.UDPIngress: "a UDPIngress", unit.Service: "a Service",
	} {
		if got := kind.WithArticle(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
