package agent

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/address"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// fakeRelay records the addresses that it was told last.
type fakeRelay struct{ protected address.Learned }

func (r *fakeRelay) SetProtected(l address.Learned) { r.protected = l }

func service(namespace, name, clusterIP string) unit.Change {
	return unit.Change{Key: unit.Key{Kind: unit.Service, Namespace: namespace, Name: name}, Object: &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.ServiceSpec{ClusterIP: clusterIP},
	}}
}

// fromOutside gives a Service an external IP and a load balancer address, at port 80 and node port
// 30080.
func fromOutside(c unit.Change, external, balancer string) unit.Change {
	s := c.Object.(*corev1.Service)
	s.Spec.ExternalIPs = []string{external}
	s.Spec.Ports = []corev1.ServicePort{{Port: 80, NodePort: 30080}}
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "lb.example"}, {IP: balancer}}
	return c
}

func slice(namespace, service string, addresses ...string) unit.Change {
	s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: service + "-1", Labels: map[string]string{discoveryv1.LabelServiceName: service},
	}}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	return unit.Change{Key: unit.Key{Kind: unit.EndpointSlice, Namespace: namespace, Name: s.Name}, Object: s}
}

// TestProtectedAddresses checks the addresses that workers are told while objects come and go.
func TestProtectedAddresses(t *testing.T) {
	graph := translate.New(translate.Options{IngressClass: "kong", Backend: backend.Options{
		GatewayNamespace: "kong", Addresses: address.Policy{Own: []netip.Addr{netip.MustParseAddr("10.0.0.7")}},
	}})
	relay := &fakeRelay{}
	publisher := &AddressPublisher{Prefix: t.TempDir(), Relay: relay}
	told := func(changes ...unit.Change) string {
		t.Helper()
		graph.Update(changes...)
		if err := publisher.publish(backend.Learned(graph)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(publisher.Prefix, addressFile))
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\n"); lines != len(relay.protected) {
			t.Errorf("the relay knows %d addresses, the workers %d", len(relay.protected), lines)
		}
		return string(text)
	}
	for _, step := range []struct {
		when    string
		changes []unit.Change
		want    string
	}{
		{"at first", nil, ""},
		{"the API server", []unit.Change{service("default", "kubernetes", "10.96.0.1"), slice("default", "kubernetes", "192.0.2.1")},
			"10.96.0.1 an address of the Kubernetes API server\n192.0.2.1 an address of the Kubernetes API server\n"},
		{"the API server moves", []unit.Change{slice("default", "kubernetes", "192.0.2.2")},
			"10.96.0.1 an address of the Kubernetes API server\n192.0.2.2 an address of the Kubernetes API server\n"},
		{"it is gone", []unit.Change{{Key: service("default", "kubernetes", "").Key}, {Key: slice("default", "kubernetes").Key}}, ""},
		{"the gateway and another pod of it", []unit.Change{service("kong", "proxy", "10.96.0.80"), slice("kong", "proxy", "10.0.0.7", "10.0.1.7")},
			"10.0.0.7 an address of the gateway\n10.0.1.7 an address of the gateway\n10.96.0.80 an address of the gateway\n"},
		{"the gateway, from outside", []unit.Change{fromOutside(service("kong", "proxy", "10.96.0.80"), "192.0.2.80", "2001:db8::80")},
			"10.0.0.7 an address of the gateway\n10.0.1.7 an address of the gateway\n10.96.0.80 an address of the gateway\n" +
				"192.0.2.80:80 an address of the gateway\n192.0.2.80:30080 an address of the gateway\n" +
				"[2001:db8::80]:80 an address of the gateway\n[2001:db8::80]:30080 an address of the gateway\n"},
		{"only others", []unit.Change{slice("kong", "proxy", "10.0.1.7")}, ""},
		{"a Service of a tenant that leads to the gateway", []unit.Change{service("attacker", "lead", "10.96.6.6"), slice("attacker", "lead", "10.0.0.7", "10.5.5.5")},
			"10.96.6.6 the cluster IP of a Service with a denied endpoint\n"},
		{"to a metadata service", []unit.Change{slice("attacker", "lead", "::ffff:100.100.100.200")},
			"10.96.6.6 the cluster IP of a Service with a denied endpoint\n"},
		{"to nothing", []unit.Change{slice("attacker", "lead", "10.5.5.5")}, ""},
		{"a headless Service", []unit.Change{service("attacker", "headless", "None"), slice("attacker", "headless", "10.0.0.7")}, ""},
	} {
		if got := told(step.changes...); got != step.want {
			t.Errorf("%s: workers are told\n%swant\n%s", step.when, got, step.want)
		}
	}
}

// TestAddressesAreToldAgain uses a prefix that is created later.
func TestAddressesAreToldAgain(t *testing.T) {
	publisher := &AddressPublisher{Prefix: filepath.Join(t.TempDir(), "prefix"), Relay: &fakeRelay{}}
	learned := address.Learned{netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), 0): address.OfGateway}
	if err := publisher.publish(learned); err == nil {
		t.Error("a prefix that does not exist is not an error")
	}
	if err := os.Mkdir(publisher.Prefix, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := publisher.publish(learned); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(publisher.Prefix, addressFile)); err != nil {
		t.Error(err)
	}
}
