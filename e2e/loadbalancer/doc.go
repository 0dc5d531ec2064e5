// Package loadbalancer does for end-to-end tests what a cloud's load balancer and kube-proxy do for Services of type
// LoadBalancer.
//
//   - Each Service has an address of its own, of a pool of which any address can be listened on, for as long as it is of
//     that type. It is the one that spec.loadBalancerIP asks for; where that is not of the pool, or is another
//     Service's, the Service has none, and an Event says why. A Service with a loadBalancerClass is another's.
//   - Connections and datagrams to the Service's ports go to the endpoints that are ready, in turn; where none is, to
//     those that still serve while they end. Where there are none at all connections are reset.
//   - status.loadBalancer has the address once all ports are listened on.
//
// Bytes are passed on as they are, and the end of what one side says is told to the other, which may still answer. A
// connection goes on whatever happens to Services and endpoints after it was made, and ends with its two sides.
//
// What endpoints see is the balancer's address, as behind kube-proxy with the external traffic policy Cluster. Not
// there: session affinity, source ranges, node ports, cluster IPs.
package loadbalancer
