// Package loadbalancer stands in for a cloud's load balancer and kube-proxy: it serves Services of type LoadBalancer in
// end-to-end tests.
//
//   - Each Service has its own address, from a pool of local addresses, as long as it is of that type. The address is
//     spec.loadBalancerIP if that is set. If it is not in the pool, or another Service has it, the Service gets none,
//     and an Event says why. Services with a loadBalancerClass are not served.
//   - Connections and datagrams to the Service's ports go to the ready endpoints, in turn. If none is ready, they go to
//     terminating endpoints that still serve. Without any endpoint, connections are reset.
//   - status.loadBalancer has the address once all ports are open.
//
// Bytes are forwarded unchanged. When one side closes its direction, the other side learns that and may still answer. A
// connection goes on whatever happens to Services and endpoints later, and ends with its two sides.
//
// Endpoints see the balancer's address, as behind kube-proxy with the external traffic policy Cluster. Not supported:
// session affinity, source ranges, node ports, cluster IPs.
package loadbalancer
