package kongconf_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/translate/address"
)

// policies returns the gateway's NetworkPolicies.
func policies(t *testing.T) (ingress, egress networkingv1.NetworkPolicy) {
	t.Helper()
	installed := objects(t, readFile(t, "install.yaml"))
	return decode[networkingv1.NetworkPolicy](t, installed, "NetworkPolicy kong/kong-ingress"),
		decode[networkingv1.NetworkPolicy](t, installed, "NetworkPolicy kong/kong-egress")
}

// peer is an end of a connection: a pod, by the labels of its namespace, or an address.
type peer struct {
	namespace map[string]string
	address   string
}

func (p peer) in(t *testing.T, all []networkingv1.NetworkPolicyPeer) bool {
	t.Helper()
	return len(all) == 0 || slices.ContainsFunc(all, func(rule networkingv1.NetworkPolicyPeer) bool {
		if rule.IPBlock != nil {
			return p.address != "" && within(p.address, rule.IPBlock.CIDR) &&
				!slices.ContainsFunc(rule.IPBlock.Except, func(cidr string) bool { return within(p.address, cidr) })
		}
		if rule.PodSelector != nil || rule.NamespaceSelector == nil {
			t.Fatalf("this test does not support the peer %+v", rule)
		}
		selector, err := metav1.LabelSelectorAsSelector(rule.NamespaceSelector)
		if err != nil {
			t.Fatal(err)
		}
		return p.namespace != nil && selector.Matches(labels.Set(p.namespace))
	})
}

func within(address, cidr string) bool {
	return netip.MustParsePrefix(cidr).Contains(netip.MustParseAddr(address))
}

// at reports whether the ports of a rule include a port; a rule without ports includes all.
func at(all []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(p networkingv1.NetworkPolicyPort) bool {
		of, last := corev1.ProtocolTCP, p.Port.IntVal
		if p.Protocol != nil {
			of = *p.Protocol
		}
		if p.EndPort != nil {
			last = *p.EndPort
		}
		return of == protocol && p.Port.IntVal <= port && port <= last
	})
}

func TestConnectionsToThePods(t *testing.T) {
	policy, _ := policies(t)
	reaches := func(from peer, protocol corev1.Protocol, port int32) bool {
		return slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return from.in(t, rule.From) && at(rule.Ports, protocol, port)
		})
	}
	tenant := peer{namespace: map[string]string{"kubernetes.io/metadata.name": "attacker"}}
	client := peer{address: "203.0.113.1"}
	monitoring := peer{namespace: map[string]string{"kubernetes.io/metadata.name": "monitoring"}}
	labeled := peer{namespace: map[string]string{"kubernetes.io/metadata.name": "observability", "kube-sync/monitoring": "true"}}
	for _, test := range []struct {
		who     string
		from    peer
		port    int32
		reaches bool
	}{
		{"a tenant's pod at Kong's status", tenant, 8100, false},
		{"a tenant's pod at kube-sync's health", tenant, 10254, false},
		{"a tenant's pod at kube-sync's metrics", tenant, 10255, false},
		{"a tenant's pod at the relay", tenant, 10264, false},
		{"a tenant's pod at the Admin API", tenant, 8001, false},
		{"a client at Kong's status", client, 8100, false},
		{"a client at kube-sync's metrics", client, 10255, false},
		{"Prometheus at Kong's metrics", monitoring, 8100, true},
		{"Prometheus at kube-sync's metrics", monitoring, 10255, true},
		{"Prometheus elsewhere", labeled, 10255, true},
		{"Prometheus at kube-sync's health", monitoring, 10254, false},
	} {
		if got := reaches(test.from, corev1.ProtocolTCP, test.port); got != test.reaches {
			t.Errorf("%s, port %d: %v, want %v", test.who, test.port, got, test.reaches)
		}
	}
	// All of Kong's listeners for clients.
	for _, listen := range clientPorts(t) {
		for _, from := range []peer{tenant, client} {
			if !reaches(from, listen.protocol, listen.port) {
				t.Errorf("%+v cannot connect to port %d over %s, on which Kong listens", from, listen.port, listen.protocol)
			}
		}
	}
}

type clientPort struct {
	protocol corev1.Protocol
	port     int32
}

// clientPorts returns the ports of kong.conf, as kube-sync reads them.
func clientPorts(t *testing.T) (all []clientPort) {
	t.Helper()
	kong := conf(t)
	kong["database"] = "off"
	loaded, err := settings.Load(settings.Sources{Kong: kong})
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range loaded.KongListens {
		protocol := corev1.ProtocolTCP
		if listen.UDP {
			protocol = corev1.ProtocolUDP
		}
		for port := listen.Ports.First; port <= listen.Ports.Last; port++ {
			all = append(all, clientPort{protocol, port})
		}
	}
	if len(all) < 100 {
		t.Fatalf("kong.conf has %d ports", len(all))
	}
	return all
}

func TestConnectionsFromThePods(t *testing.T) {
	_, policy := policies(t)
	reaches := func(to peer, port int32) bool {
		return slices.ContainsFunc(policy.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
			return to.in(t, rule.To) && at(rule.Ports, corev1.ProtocolTCP, port)
		})
	}
	for _, test := range []struct {
		what    string
		to      peer
		port    int32
		reaches bool
	}{
		{"metadata of most clouds", peer{address: "169.254.169.254"}, 80, false},
		{"credentials of AWS containers", peer{address: "169.254.170.2"}, 80, false},
		{"metadata of Alibaba", peer{address: "100.100.100.200"}, 80, false},
		{"metadata of Azure", peer{address: "168.63.129.16"}, 80, false},
		{"Azure's wire server", peer{address: "168.63.129.16"}, 32526, false},
		{"metadata of AWS over IPv6", peer{address: "fd00:ec2::254"}, 80, false},
		{"metadata of GCP over IPv6", peer{address: "fd20:ce::254"}, 80, false},
		{"link-local over IPv6", peer{address: "fe80::1"}, 80, false},
		{"DNS at a link-local address", peer{address: "169.254.20.10"}, 53, true},
		{"the API server", peer{address: "192.0.2.1"}, 6443, true},
		{"the API server's Service", peer{address: "10.96.0.1"}, 443, true},
		{"a backend that is a pod", peer{namespace: map[string]string{"kubernetes.io/metadata.name": "shop"}}, 8080, true},
		{"a backend on a node", peer{address: "10.0.0.7"}, 8080, true},
		{"a backend outside", peer{address: "2001:db8::7"}, 8443, true},
	} {
		if got := reaches(test.to, test.port); got != test.reaches {
			t.Errorf("%s, port %d: %v, want %v", test.what, test.port, got, test.reaches)
		}
	}
	// The translation denies the same metadata addresses.
	found := 0
	for _, denied := range address.BuiltIn() {
		if !strings.Contains(denied.What, "metadata") {
			continue
		}
		found++
		if reaches(peer{address: denied.Addr().String()}, 80) {
			t.Errorf("pods can connect to %s, %s", denied.Prefix, denied.What)
		}
	}
	if found == 0 {
		t.Error("no built-in range is for metadata")
	}
}

// TestPoliciesSelectThePods checks that the policies select the gateway's pods, in install.yaml and in helm-values.yaml.
func TestPoliciesSelectThePods(t *testing.T) {
	d, _ := deployment(t)
	ingress, egress := policies(t)
	for _, policy := range []networkingv1.NetworkPolicy{ingress, egress} {
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil || selector.Empty() || !selector.Matches(labels.Set(d.Spec.Template.Labels)) || policy.Namespace != d.Namespace {
			t.Errorf("NetworkPolicy %s does not select the gateway's pods: %v, %v", policy.Name, policy.Spec.PodSelector, err)
		}
	}
	chart := chartObjects(t)
	for _, policy := range []networkingv1.NetworkPolicy{ingress, egress} {
		of := decode[networkingv1.NetworkPolicy](t, chart, "NetworkPolicy NAMESPACE/"+policy.Name)
		if selects := fmt.Sprint(of.Spec.PodSelector.MatchLabels); !strings.Contains(selects, "{{ .Release.Name }}") {
			t.Errorf("helm-values.yaml: NetworkPolicy %s selects %s", policy.Name, selects)
		}
		of.Spec.PodSelector = policy.Spec.PodSelector
		if diff := cmp.Diff(policy.Spec, of.Spec); diff != "" {
			t.Errorf("helm-values.yaml: NetworkPolicy %s differs from install.yaml:\n%s", policy.Name, diff)
		}
	}
}
