// Package ingress translates networking.k8s.io/v1 Ingresses. Each is a unit: its routes, the server
// names of its certificates, and diagnostics.
package ingress
