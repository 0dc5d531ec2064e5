package declarative

import (
	"crypto/tls"

	"github.com/kube-sync/kube-sync/translate/expression"
)

// Config is a configuration that has passed all checks. It is immutable.
type Config struct {
	Services     map[string]*Service
	Routes       []*Route
	Upstreams    map[string]*Upstream // by name
	Certificates map[string]*Certificate
	SNIs         map[string]*Certificate // by server name
	Plugins      []*Plugin

	// Entities is the whole configuration as the Admin API returns it, by collection and id.
	Entities map[string]map[string]Entity
	// Ignored are collections that Kong has and the stand-in ignores.
	Ignored []string
}

// Entity is an entity as it was read.
type Entity map[string]any

// Service is a Service of Kong.
type Service struct {
	ID             string `json:"id"`
	Name           string `json:"name"`
	Protocol       string `json:"protocol"`
	Host           string `json:"host"`
	Port           int    `json:"port"`
	Path           string `json:"path"`
	Retries        int    `json:"retries"`
	ConnectTimeout int    `json:"connect_timeout"`
	ReadTimeout    int    `json:"read_timeout"`
	Enabled        bool   `json:"enabled"`
	TLSVerify      bool   `json:"tls_verify"`
}

// Route is a Route of Kong.
type Route struct {
	ID                 string   `json:"id"`
	Name               string   `json:"name"`
	Expression         string   `json:"expression"`
	Priority           int64    `json:"priority"`
	Protocols          []string `json:"protocols"`
	StripPath          bool     `json:"strip_path"`
	PreserveHost       bool     `json:"preserve_host"`
	RedirectStatusCode int      `json:"https_redirect_status_code"`
	ServiceID          string   `json:"service"`

	// Program is the compiled Expression.
	Program *expression.Program `json:"-"`
}

// Upstream is a set of targets under a name.
type Upstream struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	HostHeader string    `json:"host_header"`
	Algorithm  string    `json:"algorithm"`
	Targets    []*Target `json:"-"`
}

// Target is an address of an upstream. Host is as written, for the Host header.
type Target struct {
	UpstreamID string `json:"upstream"`
	Target     string `json:"target"`
	Weight     int    `json:"weight"`

	Host string `json:"-"`
	Port int    `json:"-"`
}

// Certificate is a certificate with its key.
type Certificate struct {
	ID   string `json:"id"`
	Cert string `json:"cert"`
	Key  string `json:"key"`

	TLS tls.Certificate `json:"-"`
}

// Plugin is an enabled plugin and its scope; empty ids are the global scope.
type Plugin struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	RouteID   string            `json:"route"`
	ServiceID string            `json:"service"`
	Consumer  string            `json:"consumer"`
	Protocols []string          `json:"protocols"`
	Enabled   bool              `json:"enabled"`
	Config    TerminationConfig `json:"config"`

	// Answer is set if the plugin does nothing but answer every request in this way.
	Answer *Answer `json:"-"`
}

// Answer is a status and a message.
type Answer struct {
	Status  int
	Message string
	// Identified is whether the body has the id of the request, as those of Kong's errors.
	Identified bool
}

// Termination is the one plugin that the stand-in runs with any configuration.
const Termination = "request-termination"

// Ports is the plugin that makes Kong use the port on which a request arrived as the request's port. The
// stand-in does that if the plugin is there.
const Ports = "kube-sync-ports"

// TerminationConfig is the configuration of request-termination.
type TerminationConfig struct {
	StatusCode  int    `json:"status_code"`
	Message     string `json:"message"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}
