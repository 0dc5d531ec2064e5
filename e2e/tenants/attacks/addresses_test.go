package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// addresses are attacks by backends at denied addresses, and by backends that lead back to the gateway.
func addresses() []attack {
	return []attack{
		{
			name:  "a backend at a server of the attacker",
			steps: []string{backend("there", "IPv4", strangerIP, backendPort)},
			requests: func(t *testing.T, w *world) {
				if a, err := w.do(http.MethodGet, "there.attacker.test", "/", false, nil); err != nil || a.seen.Served != strangerIP {
					t.Errorf("what is permitted does not work: %d, %v", a.status, err)
				}
			},
		},
		backendsAt("backends at loopback", "IPv4", destination{"127.0.0.1", trapPort}, destination{"127.8.9.1", statusPort}, destination{"0.0.0.0", statusPort}),
		backendsAt("backends at the pod", "IPv4", destination{podIP, trapPort}, destination{podIP, statusPort}, destination{podIP, metricsPort}),
		backendsAt("backends at metadata services", "IPv4", destination{metadata[0], "80"}, destination{metadata[1], "80"}, destination{metadata[2], "80"}),
		backendsAt("backends at denied IPv6 addresses", "IPv6", destination{"::1", trapPort}, destination{"::ffff:127.0.0.1", trapPort},
			destination{"::ffff:7f00:1", trapPort}, destination{"64:ff9b::a9fe:a9fe", "80"}, destination{"64:ff9b::7f00:1", trapPort},
			destination{"::7f00:1", trapPort}, destination{"2002:7f00:1::", trapPort}, destination{"fd00:ec2::254", "80"}, destination{"fe80::1", "80"}),
		backendsAt("backends that are names", "FQDN", destination{nameOfLoopback, trapPort}, destination{nameOfMetadata, "80"}, destination{"localhost", trapPort}),
		externalNames(nameOfLoopback, "localhost", "127.0.0.1", metadata[0]),
		{
			name: "an HTTPRoute that mirrors to the pod",
			steps: []string{slice(attacker, "own", "IPv4", podIP, statusPort) + object("v1", "Service", attacker, "own") + "spec: {ports: [{name: http, port: 80}]}\n" +
				httpRoute(attacker, "own", "denied-0.attacker.test", `
  - filters: [{type: RequestMirror, requestMirror: {backendRef: {name: own, port: 80}}}]
    backendRefs: [{name: own, port: 80}]
`)},
			told: []string{"EndpointSlice attacker/own"}, requests: answerNothing(1),
		},
		loop("a backend that is the gateway", gatewayIP, httpPort),
		loop("a backend that is the gateway by the relay", gatewayIP, httpPort, "relay"),
	}
}

// backendsAt returns a Service with an endpoint and an Ingress for each destination.
func backendsAt(name, addressType string, all ...destination) attack {
	a := attack{name: name, requests: answerNothing(len(all))}
	manifests := ""
	for i, to := range all {
		denied := fmt.Sprintf("denied-%d", i)
		manifests += backend(denied, addressType, to.host, to.port)
		a.told = append(a.told, "EndpointSlice attacker/"+denied, "Ingress attacker/"+denied)
	}
	a.steps = []string{manifests}
	return a
}

// externalNames returns a Service of type ExternalName and an Ingress for each name.
func externalNames(all ...string) attack {
	a := attack{name: "Services of type ExternalName", requests: answerNothing(len(all))}
	manifests := ""
	for i, external := range all {
		name := fmt.Sprintf("denied-%d", i)
		manifests += object("v1", "Service", attacker, name) +
			fmt.Sprintf("spec: {type: ExternalName, externalName: %q, ports: [{port: %s}]}\n", external, trapPort) +
			strings.Replace(ingress(attacker, name, name+".attacker.test", "/", name), "number: 80", "number: "+trapPort, 1)
		a.told = append(a.told, "Ingress attacker/"+name)
	}
	a.steps = []string{manifests}
	return a
}

// backend returns a Service with an endpoint, and an Ingress for it.
func backend(name, addressType, address, port string) string {
	return object("v1", "Service", attacker, name) + "spec: {ports: [{name: http, port: 80}]}\n" +
		slice(attacker, name, addressType, address, port) + ingress(attacker, name, name+".attacker.test", "/", name)
}

// answerNothing checks that routes do not return the content of their backends.
func answerNothing(routes int) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		for i := range routes {
			host := fmt.Sprintf("denied-%d.attacker.test", i)
			for _, path := range []string{"/", "/status", "/metrics", "/latest/meta-data/"} {
				a, err := w.do(http.MethodGet, host, path, false, nil)
				if err == nil && (a.status < 500 || strings.Contains(a.body, "configuration_hash")) {
					t.Errorf("%s%s answers %d: %.200s", host, path, a.status, a.body)
				}
			}
		}
	}
}

// loop is an attack by a route that leads back to itself, by addresses that the gateway does not know as its own.
func loop(name, ip, port string, relay ...string) attack {
	route := ingress(attacker, "loop", "loop.attacker.test", "/", "loop")
	if len(relay) > 0 {
		route = httpRoute(attacker, "loop", "loop.attacker.test", `
  - retry: {attempts: 1, codes: [503]}
    backendRefs: [{name: loop, port: 80}]
`)
	}
	return attack{
		name: name, steps: []string{service(attacker, "loop", ip, port) + route},
		requests: func(t *testing.T, w *world) {
			before := strings.Count(w.accessLog(), "loop.attacker.test")
			const sent = 5
			for range sent {
				if a, err := w.do(http.MethodGet, "loop.attacker.test", "/", false, nil); err != nil || a.status < 500 {
					t.Errorf("a request that goes round is answered %d, %v", a.status, err)
				}
			}
			time.Sleep(200 * time.Millisecond)
			if hops := strings.Count(w.accessLog(), "loop.attacker.test") - before; hops > 10*sent {
				t.Errorf("%d requests came by %d times", sent, hops)
			}
		},
	}
}
