package backend

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// appProtocols are Kong's protocols by appProtocol. Kong's "grpc" is any HTTP/2 without TLS: it
// passes bodies, statuses and trailers on.
var appProtocols = map[string]string{
	"http":              "http",
	"https":             "https",
	"grpc":              "grpc",
	"grpcs":             "grpcs",
	"kubernetes.io/h2c": "grpc",
	"kubernetes.io/ws":  "http",
	"kubernetes.io/wss": "https",
}

// grpcAppProtocols are Kong's protocols for gRPC requests by appProtocol.
var grpcAppProtocols = map[string]string{
	"http":              "grpc",
	"https":             "grpcs",
	"grpc":              "grpc",
	"grpcs":             "grpcs",
	"kubernetes.io/h2c": "grpc",
}

// protocol returns Kong's protocol for a Service's port, or unset, "http" or "grpc", if it has no
// appProtocol. It is false for an appProtocol that cannot carry such requests.
func protocol(port corev1.ServicePort, unset string) (string, bool) {
	if port.AppProtocol == nil || *port.AppProtocol == "" {
		return unset, true
	}
	known := appProtocols
	if unset == "grpc" {
		known = grpcAppProtocols
	}
	p, ok := known[strings.ToLower(*port.AppProtocol)]
	return p, ok
}

// Protocol returns Kong's protocol for requests to the endpoints: the Service's annotation, or its
// port's appProtocol, or unset, "http" or "grpc". It is false for an unsupported appProtocol.
func (e Endpoints) Protocol(unset string) (string, bool) {
	key := unit.Service.Of(e.Service)
	if word := annotation.Of(e.Service, key).Word(annotation.Protocol, "", protocols...); word != "" {
		return word, true
	}
	return protocol(e.ServicePort, unset)
}

// Stream returns Kong's protocol for connections or datagrams to the endpoints: "tls" for connections
// if the Service's annotation names a protocol over TLS.
func (e Endpoints) Stream(purpose Purpose) string {
	key := unit.Service.Of(e.Service)
	b := route.Backend{Protocol: annotation.Of(e.Service, key).Word(annotation.Protocol, "", protocols...)}
	purpose.UseStreamProtocol(&b)
	return b.Protocol
}

// protocol returns "https" for requests of Ingresses to a port whose appProtocol says so, and "http"
// for everything else. HTTP/2 needs the annotation, because Kong ignores strip-path with it. Unknown
// values mean HTTP: an Ingress has no condition to reject them.
func (ref Ref) protocol(service *corev1.Service) string {
	port, _ := servicePort(service, ref)
	if p, _ := protocol(port, "http"); p == "https" && ref.Purpose == Requests {
		return p
	}
	return "http"
}
