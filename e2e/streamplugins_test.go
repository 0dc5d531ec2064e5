package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Plugins that protect connections work, or the connections are closed, also for plugins that Kong would accept and
// never run for connections. UDPIngresses have the addresses of a Service of their own.
func TestStreamPlugins(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	open, closed, service, udp := freeport.Address(t), freeport.Address(t), freeport.Address(t), freeport.Address(t)
	gw := pod.Start(t, pod.Options{Credentials: credentials(t, cp), Name: "gateway-0",
		Kong:     map[string]string{"STREAM_LISTEN": open + ", " + closed + ", " + service + ", " + udp + " udp"},
		Settings: map[string]string{"PUBLISH_STATUS_ADDRESS": "192.0.2.1", "PUBLISH_STATUS_ADDRESS_UDP": "192.0.2.2"}})
	gw.NeedKong()
	ns := cp.Namespace(t)
	cp.MustApply(t, ns, streaming(deployment("web", 1))+kongPlugin("here", "ip-restriction", "{allow: [127.0.0.0/8, '::1/128']}")+
		kongPlugin("auth", "key-auth", "{key_names: [k]}")+
		strings.Replace(facing("guarded", "konghq.com/plugins: auth"), "{name: http, port: 80, targetPort: 8080}", "{name: lines, port: 9000}", 1)+"---\n"+
		stream("TCPIngress", "open", open, "here", "web")+stream("TCPIngress", "closed", closed, "auth", "web")+
		stream("TCPIngress", "service", service, "", "guarded")+stream("UDPIngress", "grams", udp, "here", "web"))
	pods := ready(t, cp, ns, 1)
	eventually.Nil(t, time.Minute, func() error { return echoes("tcp", open, pods) })
	eventually.Nil(t, time.Minute, func() error { return echoes("udp", udp, pods) })
	wantEvent(t, cp, ns, "closed", "KongConfigurationApplyFailed")
	wantEvent(t, cp, ns, "guarded", "KongConfigurationApplyFailed")
	for _, address := range []string{closed, service} {
		if err := echoes("tcp", address, pods); err == nil {
			t.Errorf("%s answers without what protects it", address)
		}
	}
	wantStreamAddress(t, cp, ns, "tcpingresses", "open", "192.0.2.1")
	wantStreamAddress(t, cp, ns, "udpingresses", "grams", "192.0.2.2")
}

// stream returns a stream Ingress for the port of an address and port 9000 of a Service.
func stream(kind, name, address, plugins, service string) string {
	return fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1beta1
kind: %s
metadata: {name: %s, annotations: {kubernetes.io/ingress.class: kong, konghq.com/plugins: %q}}
spec: {rules: [{port: %s, backend: {serviceName: %s, servicePort: 9000}}]}
---
`, kind, name, plugins, port(address), service)
}

// wantStreamAddress waits for an address in a status.
func wantStreamAddress(t *testing.T, cp *lab.ControlPlane, namespace, resource, name, want string) {
	t.Helper()
	kind := schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1beta1", Resource: resource}
	eventually.Nil(t, time.Minute, func() error {
		object, err := cp.Dynamic.Resource(kind).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		addresses, _, _ := unstructured.NestedSlice(object.Object, "status", "loadBalancer", "ingress")
		return same("addresses of "+name, fmt.Sprint(addresses), fmt.Sprintf("[map[ip:%s]]", want))
	})
}
