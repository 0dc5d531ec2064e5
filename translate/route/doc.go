// Package route is the model between Kubernetes and Kong: the common meaning of an Ingress and a
// Gateway API route. It consists of plain values without behavior, and uses neither Kubernetes'
// nor Kong's types.
package route
