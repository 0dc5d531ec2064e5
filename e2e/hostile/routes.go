package hostile

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// list returns a list of different values, of at most a number of bytes.
func list(bytes int, format string) string {
	var b strings.Builder
	for i := 0; b.Len() < bytes; i++ {
		fmt.Fprintf(&b, format+",", i)
	}
	return b.String()[:bytes]
}

// most is the size limit of all annotations of an object, in bytes.
const most = 250_000

func ofRoutes() []Attack {
	equal := []unit.Change{change(service("web"))}
	for i := range 80 {
		o := ingress(fmt.Sprintf("equal-%d", i), 400)
		o.Spec.Rules[0].Host = "equal.hostile.example"
		o.CreationTimestamp.Time = o.CreationTimestamp.AddDate(0, 0, -i)
		equal = append(equal, change(o))
	}
	sameName := regexes(ingress("groups", 1), strings.Repeat("(?P<a1>)", 2)+list(1_000_000, "(?P<g%d>)"))
	hosts := ingress("hosts", 1)
	for i := range 20_000 {
		hosts.Spec.Rules = append(hosts.Spec.Rules, networkingv1.IngressRule{Host: fmt.Sprintf("h%d.hostile.example", i), IngressRuleValue: hosts.Spec.Rules[0].IngressRuleValue})
	}
	return []Attack{
		{"a header of 50 000 values", []unit.Change{change(ingress("values", 600, "headers.x", list(most, "%d")))}, "LIMIT_MATCH_TERMS"},
		{"a header of 1 000 regular expressions", []unit.Change{change(ingress("header-regexes", 600, "headers.x", list(10_000, `~*^\w+%d$`)))}, "LIMIT_MATCH_BYTES"},
		{"methods, server names and hosts without end", []unit.Change{
			change(ingress("methods", 600, "methods", strings.Repeat("A,BB,C,", 30_000))),
			change(ingress("snis", 600, "snis", list(most, "s%d.example"))),
			change(ingress("aliases", 600, "host-aliases", list(most, "a%d.example"))),
		}, "LIMIT_MATCH_TERMS"},
		{"150 regular expressions of 12 MB", []unit.Change{change(regexes(ingress("regexes", 150), `\w{200}`))}, "LIMIT_MATCH_BYTES"},
		{"regular expressions of 1 MB", []unit.Change{change(regexes(ingress("small-regexes", 2000), `\w{16}`))}, "LIMIT_NAMESPACE_MATCH_BYTES"},
		{"a regular expression with 100 000 groups", []unit.Change{change(sameName)}, "MatchInvalid"},
		{"80 Ingresses with 400 equal paths", equal, "conflicts with another rule"},
		{"20 000 hosts", []unit.Change{change(hosts), change(service("web"))}, "LIMIT_OBJECT_ENTITIES"},
		{"an HTTPRoute for 1000 hosts", gatewayHosts(), "LIMIT_OBJECT_ENTITIES"},
		{"ListenerSets with 19 200 listeners", listenerSets(), "LIMIT_NAMESPACE_LISTENERS"},
	}
}

func gateway(name string, listeners ...gatewayv1.Listener) *gatewayv1.Gateway {
	all := gatewayv1.NamespacesFromAll
	return &gatewayv1.Gateway{ObjectMeta: meta(name), Spec: gatewayv1.GatewaySpec{GatewayClassName: "kong", Listeners: listeners,
		AllowedListeners: &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: &all}}}}
}

func listener(name, host string) gatewayv1.Listener {
	l := gatewayv1.Listener{Name: gatewayv1.SectionName(name), Port: 80, Protocol: gatewayv1.HTTPProtocolType}
	if host != "" {
		l.Hostname = (*gatewayv1.Hostname)(&host)
	}
	return l
}

func gatewayHosts() []unit.Change {
	route := &gatewayv1.HTTPRoute{ObjectMeta: meta("hosts")}
	route.Annotations = map[string]string{"konghq.com/host-aliases": list(most, "a%d.example")}
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "gateway"}}
	route.Spec.Hostnames = []gatewayv1.Hostname{"hosts.hostile.example"}
	for range 16 {
		var rule gatewayv1.HTTPRouteRule
		for j := range 8 {
			path := fmt.Sprintf("/%d", j)
			rule.Matches = append(rule.Matches, gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Value: &path}})
		}
		route.Spec.Rules = append(route.Spec.Rules, rule)
	}
	return []unit.Change{change(gateway("gateway", listener("http", ""))), change(route)}
}

func listenerSets() []unit.Change {
	changes := []unit.Change{change(gateway("many", listener("http", "")))}
	for i := range 300 {
		set := &gatewayv1.ListenerSet{ObjectMeta: meta(fmt.Sprintf("set-%d", i))}
		set.Spec.ParentRef = gatewayv1.ParentGatewayReference{Name: "many"}
		for j := range 64 {
			l := listener(fmt.Sprintf("l%d", j), fmt.Sprintf("l%d.set-%d.example", j, i))
			set.Spec.Listeners = append(set.Spec.Listeners, gatewayv1.ListenerEntry(l))
		}
		changes = append(changes, change(set))
	}
	return changes
}
