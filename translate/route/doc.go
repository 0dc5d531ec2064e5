// Package route is the model between Kubernetes and Kong: what an Ingress and a
// Gateway API route both mean. It holds plain values, knows neither Kubernetes'
// types nor Kong's, and does nothing.
package route
