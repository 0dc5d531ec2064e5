package explain

import (
	"strings"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// named is a part of an object that names hosts or paths of requests.
type named struct {
	// at is the part; verdicts within it are about these requests.
	at field.Path
	// hosts are empty for all.
	hosts []string
	// port is 0 for all.
	port int
}

// routeKinds are the kinds of objects that name requests.
var routeKinds = []unit.Kind{
	unit.Ingress, unit.HTTPRoute, unit.GRPCRoute, unit.TLSRoute, unit.TCPRoute, unit.UDPRoute, unit.TCPIngress, unit.UDPIngress,
}

// namesOf returns which requests an object names.
func namesOf(object unit.Object) (all []named) {
	switch o := object.(type) {
	case *networkingv1.Ingress:
		aliases := strings.FieldsFunc(o.Annotations[annotation.Prefix+annotation.HostAliases], func(r rune) bool { return r == ',' || r == ' ' })
		for i, rule := range o.Spec.Rules {
			n := named{at: field.Spec.Child("rules").Index(i)}
			if rule.Host != "" {
				n.hosts = append([]string{rule.Host}, aliases...)
			}
			all = append(all, n)
		}
		if o.Spec.DefaultBackend != nil {
			all = append(all, named{at: field.Spec.Child("defaultBackend")})
		}
	case *gatewayv1.HTTPRoute:
		all = append(all, named{hosts: hostsOf(o.Spec.Hostnames)})
	case *gatewayv1.GRPCRoute:
		all = append(all, named{hosts: hostsOf(o.Spec.Hostnames)})
	case *gatewayv1.TLSRoute:
		all = append(all, named{hosts: hostsOf(o.Spec.Hostnames)})
	case *gatewayv1.TCPRoute:
		all = parentPorts(o.Spec.ParentRefs)
	case *gatewayv1.UDPRoute:
		all = parentPorts(o.Spec.ParentRefs)
	case *configurationv1beta1.TCPIngress:
		for i, rule := range o.Spec.Rules {
			n := named{at: field.Spec.Child("rules").Index(i), port: rule.Port}
			if rule.Host != "" {
				n.hosts = []string{rule.Host}
			}
			all = append(all, n)
		}
	case *configurationv1beta1.UDPIngress:
		for i, rule := range o.Spec.Rules {
			all = append(all, named{at: field.Spec.Child("rules").Index(i), port: rule.Port})
		}
	}
	return all
}

func hostsOf(hostnames []gatewayv1.Hostname) (hosts []string) {
	for _, h := range hostnames {
		hosts = append(hosts, string(h))
	}
	return hosts
}

// parentPorts returns the ports that references to parents name.
func parentPorts(refs []gatewayv1.ParentReference) (all []named) {
	for _, ref := range refs {
		all = append(all, named{port: int(ptr.Deref(ref.Port, 0))})
	}
	return all
}

// closeness says how close a name is to a request: 0 for not at all, 1 for nearly, 2 for a name of
// all hosts, 3 for the host or the port itself.
func (n named) closeness(r Request) int {
	if n.port != 0 && n.port != r.Port {
		return 0
	}
	switch {
	case len(n.hosts) > 0:
	case n.port != 0:
		return 3
	default:
		return 2
	}
	best := 0
	for _, host := range n.hosts {
		best = max(best, hostCloseness(strings.ToLower(host), strings.ToLower(r.Host)))
	}
	return best
}

func hostCloseness(name, host string) int {
	domain, wildcard := strings.CutPrefix(name, "*.")
	switch {
	case name == host, wildcard && strings.HasSuffix(host, "."+domain):
		return 3
	case wildcard && (host == domain || editDistance(host[strings.IndexByte(host, '.')+1:], domain) <= 2):
		return 1
	case !wildcard && editDistance(name, host) <= 2:
		return 1
	}
	return 0
}
