package e2e

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// TCPIngress and UDPIngress route connections and datagrams to pods by their port, also while
// pods are replaced.
func TestStreams(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	tcp, udp := freeport.Address(t), freeport.Address(t)
	gw := pod.Start(t, pod.Options{Credentials: credentials(t, cp), Name: "gateway-0", Kong: map[string]string{
		"STREAM_LISTEN": tcp + ", " + udp + " udp",
	}})
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, streaming(app("web", host, 1))+fmt.Sprintf(`
---
apiVersion: configuration.konghq.com/v1beta1
kind: TCPIngress
metadata: {name: lines, annotations: {kubernetes.io/ingress.class: kong}}
spec:
  rules: [{port: %s, backend: {serviceName: web, servicePort: 9000}}]
---
apiVersion: configuration.konghq.com/v1beta1
kind: UDPIngress
metadata: {name: datagrams, annotations: {kubernetes.io/ingress.class: kong}}
spec:
  rules: [{port: %s, backend: {serviceName: web, servicePort: 9000}}]
`, port(tcp), port(udp)))
	first := ready(t, cp, ns, 1)
	for _, network := range []string{"tcp", "udp"} {
		address := map[string]string{"tcp": tcp, "udp": udp}[network]
		eventually.Nil(t, time.Minute, func() error { return echoes(network, address, first) })
	}
	// Only the endpoints change.
	scale(t, cp, ns, 0)
	ready(t, cp, ns, 0)
	scale(t, cp, ns, 1)
	second := ready(t, cp, ns, 1)
	eventually.Nil(t, time.Minute, func() error { return echoes("tcp", tcp, second) })
	eventually.Nil(t, time.Minute, func() error { return echoes("udp", udp, second) })
}

// streaming returns an app whose pods and Service also have ports for connections and datagrams.
func streaming(app string) string {
	return strings.NewReplacer(
		"        - {name: POD_NAME,", "        - {name: TCP_PORT, value: \"9000\"}\n        - {name: UDP_PORT, value: \"9000\"}\n        - {name: POD_NAME,",
		"ports: [{name: http, port: 80, targetPort: 8080}]",
		"ports: [{name: http, port: 80, targetPort: 8080}, {name: lines, port: 9000}, {name: datagrams, port: 9000, protocol: UDP}]",
	).Replace(app)
}

// echoes sends a text and expects an echo from one of the pods, several times so that each of
// Kong's workers may answer.
func echoes(network, address string, pods []string) error {
	for i := range 6 {
		conn, err := net.DialTimeout(network, address, 2*time.Second)
		if err != nil {
			return err
		}
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
		text := fmt.Sprintf("hello %d", i)
		_, err = fmt.Fprintf(conn, "%s\n", text)
		var line string
		if err == nil {
			line, err = bufio.NewReader(conn).ReadString('\n')
		}
		_ = conn.Close()
		if line = strings.TrimSpace(line); line != pods[0]+": "+text {
			return fmt.Errorf("%s answers %q, %v; want pod %s", network, line, err, pods[0])
		}
	}
	return nil
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
