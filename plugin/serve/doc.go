// Package serve tells the outside how the gateway fares: /healthz and /readyz for
// the kubelet, /metrics for Prometheus.
//
// A [Server] is ready once it was told so, and stays ready: a gateway that has had
// its configuration goes on with it, whatever becomes of the API server. Before
// that, /readyz says why it is not.
//
// Metrics have the names that the Kong Ingress Controller uses where they mean the
// same; its dashboards work. They lack its label instance_id, which is another one
// after every start.
//
// When Kong is reloaded, two servers overlap for a while. The newer one gets the
// ports as soon as the older one lets go of them; it tries until then. The ports are
// not shared (SO_REUSEPORT), so that no probe is answered by the one that leaves, and
// so that a stranger on the port is noticed.
package serve
