package backend

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// appProtocols are the words of Service ports for what Kong speaks. By gRPC's it speaks
// any HTTP/2 without TLS: bodies, statuses and trailers are those of the backend.
var appProtocols = map[string]string{
	"http":              "http",
	"https":             "https",
	"grpc":              "grpc",
	"grpcs":             "grpcs",
	"kubernetes.io/h2c": "grpc",
	"kubernetes.io/ws":  "http",
	"kubernetes.io/wss": "https",
}

// overGRPC are the words that have a meaning for gRPC too, and what it is.
var overGRPC = map[string]string{
	"http":              "grpc",
	"https":             "grpcs",
	"grpc":              "grpc",
	"grpcs":             "grpcs",
	"kubernetes.io/h2c": "grpc",
}

// protocol is what a Service's port says that it is spoken to with, or the default,
// "http" or "grpc", where it says nothing. It is false for what such requests cannot be
// sent by.
func protocol(port corev1.ServicePort, unset string) (string, bool) {
	if port.AppProtocol == nil || *port.AppProtocol == "" {
		return unset, true
	}
	words := appProtocols
	if unset == "grpc" {
		words = overGRPC
	}
	p, ok := words[strings.ToLower(*port.AppProtocol)]
	return p, ok
}

// Protocol is what requests are sent by: what the Service's annotation says, or else its
// port, or else the default, "http" or "grpc". It is false where that cannot be.
func (e Endpoints) Protocol(unset string) (string, bool) {
	key := unit.Service.Of(e.Service)
	if word := annotation.Of(e.Service, key).Word(annotation.Protocol, "", protocols...); word != "" {
		return word, true
	}
	return protocol(e.ServicePort, unset)
}

// Stream is what connections or datagrams are sent by: connections over TLS if the
// Service's annotation asks for it.
func (e Endpoints) Stream(purpose For) string {
	key := unit.Service.Of(e.Service)
	b := route.Backend{Protocol: annotation.Of(e.Service, key).Word(annotation.Protocol, "", protocols...)}
	purpose.UseStreamProtocol(&b)
	return b.Protocol
}

// protocol is what the Service's port says, for requests of Ingresses: what connections
// carry is none of the gateway's business. HTTP/2 is left to the annotation, as Kong
// sends its requests on with the path that they came with, whatever an Ingress says of
// it. Anything else is taken for HTTP: an Ingress has no condition that could say no.
func (ref Ref) protocol(service *corev1.Service) string {
	port, _ := servicePort(service, ref)
	if p, _ := protocol(port, "http"); p == "https" && ref.For == Requests {
		return p
	}
	return "http"
}
