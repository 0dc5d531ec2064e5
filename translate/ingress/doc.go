// Package ingress translates networking.k8s.io/v1 Ingresses. Each Ingress is a unit with its
// routes, the server names of its certificates, and diagnostics.
package ingress
