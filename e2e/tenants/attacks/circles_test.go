package attacks

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// circles are attacks by stream routes that lead back to the gateway, by addresses that it does not know as
// its own.
func circles() []attack {
	return []attack{streamLoop("TCP", "TCPIngress", secondStreamPort), streamLoop("UDP", "UDPIngress", datagramPort)}
}

// mostInCircles bounds the sockets of an attacker's stream routes: half of the connections of both workers.
// Both ends of each looping connection are in the gateway.
const mostInCircles = 2 * 16384 / 2

// leastInCircles is more than a client needs.
const leastInCircles = 1000

// streamLoop is an attack by a stream route that leads back to itself. The client opens more connections than
// there are workers.
func streamLoop(protocol, kind, port string) attack {
	network := strings.ToLower(protocol)
	return attack{
		name: protocol + " that leads back to the gateway",
		steps: []string{object("configuration.konghq.com/v1beta1", kind, attacker, "loop", "kubernetes.io/ingress.class=kong") +
			"spec: {rules: [{port: " + port + ", backend: {serviceName: loop, servicePort: 80}}]}\n" +
			strings.Replace(service(attacker, "loop", gatewayIP, port), "protocol: TCP", "protocol: "+protocol, 1)},
		requests: func(t *testing.T, w *world) {
			most := 0
			// A busy machine makes fewer rounds in a second.
			for i := 0; i < 10 || most < leastInCircles && i < 120; i++ {
				connection, err := net.DialTimeout(network, gatewayIP+":"+port, time.Second)
				if err != nil {
					continue
				}
				_ = connection.SetDeadline(time.Now().Add(time.Second))
				_, _ = connection.Write([]byte("round"))
				_, _ = io.ReadAll(io.LimitReader(connection, 1))
				most = max(most, w.connections(port))
				_ = connection.Close()
			}
			t.Logf("%d sockets are those of connections that go round", most)
			if most > mostInCircles {
				t.Errorf("%d connections go round", most)
			}
			if most < leastInCircles {
				t.Error("nothing goes round")
			}
		},
	}
}
