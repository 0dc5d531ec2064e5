// Package ingress translates networking.k8s.io/v1 Ingresses. Each is a unit of its
// own: its routes, the hosts that it wants its certificates served for, and what
// there is to say about it.
package ingress
