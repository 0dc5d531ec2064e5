package explain

import (
	"encoding/json"
	"time"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Answer is what would happen to a request.
type Answer struct {
	// Request is the request as Kong's router sees it.
	Request Asked `json:"request"`
	// Listener is nil if requests of any port are treated alike.
	Listener *Listener `json:"listener,omitempty"`
	// Certificate is what a client over TLS is shown; nil for Kong's own, and without TLS.
	Certificate *Certificate `json:"certificate,omitempty"`
	// Route is nil if no route matches.
	Route *Route `json:"route,omitempty"`
	// Plugins are those that run, in order.
	Plugins []Plugin `json:"plugins,omitempty"`
	// Service is nil if the route has none.
	Service *Service `json:"service,omitempty"`
	// Backends are the alternatives to which the request may be sent, with their shares.
	Backends []Backend `json:"backends,omitempty"`
	// Status is what the gateway answers itself, whatever else happens. It is 0 if a backend
	// answers, or if that is unknown.
	Status int `json:"status,omitempty"`
	// Statuses are the answers of the gateway itself, certain or not, the first one first.
	Statuses []Status `json:"statuses,omitempty"`
	// Near are other routes that match, or nearly do.
	Near []Near `json:"near,omitempty"`
	// Refused are problems of objects that name the host and path, or that the route depends on.
	Refused []Finding `json:"refused,omitempty"`
	// Objects are the objects that take part in the answer.
	Objects []Object `json:"objects,omitempty"`
	// Unknown is what the prediction leaves open, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// Asked is a request as the router sees it.
type Asked struct {
	Protocol string `json:"protocol"`
	Method   string `json:"method,omitempty"`
	Host     string `json:"host,omitempty"`
	Port     int    `json:"port"`
	Path     string `json:"path,omitempty"`
	SNI      string `json:"sni,omitempty"`
}

// Listener is the listener at which a request arrives.
type Listener struct {
	// Object is the Gateway or ListenerSet; empty for the Service in front of Kong.
	Object Object `json:"object,omitzero"`
	Name   string `json:"name,omitempty"`
	// Protocol is the listener's, and Host its hostname.
	Protocol string `json:"protocol,omitempty"`
	Host     string `json:"host,omitempty"`
	Port     int    `json:"port"`
	// KongPort is the port of Kong that receives the requests of this listener and no others; 0
	// for a port that others share.
	KongPort int `json:"kongPort,omitempty"`
}

// Route is a route of Kong and where it comes from.
type Route struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Object and Field are the part of an object that makes the route. The field may be empty.
	Object Object     `json:"object"`
	Field  field.Path `json:"field,omitempty"`
	// Expression is the match in Kong's language.
	Expression string   `json:"expression"`
	Priority   uint64   `json:"priority"`
	Protocols  []string `json:"protocols"`
}

// Plugin is a plugin that runs.
type Plugin struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Scope is "route and service", "route", "service", or "global".
	Scope string `json:"scope"`
	// Object defines the plugin, or is the route or Service that the plugin belongs to.
	Object Object `json:"object,omitzero"`
	// Effect is what it does to the request; empty if that follows from its name.
	Effect string `json:"effect,omitempty"`
	// Unknown is what the effect depends on and is not known; empty if the effect is certain.
	Unknown string `json:"unknown,omitempty"`
}

// Service is a service of Kong.
type Service struct {
	Name string `json:"name"`
	// Object is the object that it is made of.
	Object   Object `json:"object,omitzero"`
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     int    `json:"port"`
}

// Backend is where a share of the requests is sent.
type Backend struct {
	// Percent is the share of the requests.
	Percent float64 `json:"percent"`
	// Status is what the gateway answers itself for this share; 0 if endpoints answer.
	Status int `json:"status,omitempty"`
	// Upstream is the name of Kong's upstream; empty for the relay.
	Upstream string `json:"upstream,omitempty"`
	// Relayed is whether kube-sync's relay sends the requests.
	Relayed   bool       `json:"relayed,omitempty"`
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Why is why there are no endpoints.
	Why string `json:"why,omitempty"`

	refused bool // by the plugin that chooses the backend
}

// Endpoint is an address to which requests are sent, if it is healthy.
type Endpoint struct {
	Address string `json:"address"`
	// Weight is the share among the endpoints; 0 for none.
	Weight int `json:"weight"`
}

// Status is an answer of the gateway itself.
type Status struct {
	Code int `json:"code"`
	// By is the plugin that answers, or "kong".
	By string `json:"by"`
	// Certain is false if it depends on something that is unknown.
	Certain bool   `json:"certain"`
	Why     string `json:"why"`
}

// Near is another route that matches, or nearly does.
type Near struct {
	Route Route `json:"route"`
	// Lost is what decides: a part of the priority if the route matches too, or a part of the
	// request that does not match.
	Lost string `json:"lost"`
	// Why is a sentence.
	Why string `json:"why"`
	// Matches is whether the route matches and comes later.
	Matches bool `json:"matches"`
}

// Finding is a problem of an object.
type Finding struct {
	Object Object     `json:"object"`
	Field  field.Path `json:"field,omitempty"`
	Reason string     `json:"reason"`
	Why    string     `json:"why"`
}

// Certificate is a certificate of the gateway.
type Certificate struct {
	// Object is the Secret.
	Object Object `json:"object,omitzero"`
	// ServerName is the name for which the certificate is served.
	ServerName string    `json:"serverName"`
	Names      []string  `json:"names,omitempty"`
	NotBefore  time.Time `json:"notBefore"`
	NotAfter   time.Time `json:"notAfter"`
}

// Object names an object of Kubernetes.
type Object unit.Key

// MarshalJSON writes kind, namespace and name.
func (o Object) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind      unit.Kind `json:"kind"`
		Namespace string    `json:"namespace,omitempty"`
		Name      string    `json:"name"`
	}{o.Kind, o.Namespace, o.Name})
}

func (o Object) String() string { return unit.Key(o).String() }

// Key returns the key of the object.
func (o Object) Key() unit.Key { return unit.Key(o) }
