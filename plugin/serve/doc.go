// Package serve serves /healthz and /readyz for the kubelet, /metrics for Prometheus, and, on loopback
// if a setting says so, profiles.
//
// A [Server] becomes ready once and stays ready: a gateway with a configuration continues to use it,
// even if the API server cannot be reached. Before that, /readyz says why the server is not ready.
//
// Metrics have the names of the Kong Ingress Controller where they mean the same, so that its
// dashboards work. They lack its label instance_id, which differs after every start. The number of
// series has bounds that do not depend on the cluster: kinds, reasons and types, and 100 certificates.
//
// When Kong is reloaded, two servers overlap for a while. The newer one waits until the older one
// releases the ports. The ports are not shared (SO_REUSEPORT), so that the older server answers no
// probe for the newer one, and so that an unrelated process on a port is noticed.
package serve
