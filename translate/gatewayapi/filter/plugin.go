package filter

import "github.com/kube-sync/kube-sync/translate/route"

// pluginName is the plugin that implements filters. None of its values is a template, unlike those
// of the bundled plugins.
const pluginName = "kube-sync-http"

// Set is what the plugins of a rule's routes do. Its JSON is the configuration of kube-sync-http.
type Set struct {
	actions
	// Shares are the backends that requests do not reach through the Kong service alone. Total is
	// the sum of the weights of all backends.
	Shares []Share `json:"shares,omitempty"`
	Total  int     `json:"total,omitempty"`
	// Relay is the key of the rule at the relay; empty if Kong sends the requests itself.
	Relay string `json:"relay,omitempty"`
	// HTTP2 is whether Kong sends the requests over HTTP/2.
	HTTP2 bool `json:"http2,omitempty"`

	// cors is the configuration of kube-sync-cors; nil for none.
	cors *cors
	// Extensions are the KongPlugins that the filters refer to.
	Extensions []Extension `json:"-"`
}

// actions is what the filters of a rule, or of one of its backends, do.
type actions struct {
	Redirect *redirect `json:"redirect,omitempty"`
	Rewrite  *rewrite  `json:"rewrite,omitempty"`
	Request  *headers  `json:"request,omitempty"`
	Response *headers  `json:"response,omitempty"`
}

// Share is one backend's part of the requests. They are answered with Status, or sent to Upstream
// or through the relay; one of the three is set.
type Share struct {
	Weight   int    `json:"weight"`
	Status   int    `json:"status,omitempty"`
	Upstream string `json:"upstream,omitempty"`
	Relay    string `json:"relay,omitempty"`
	actions

	// Ref is the index of the backend in the rule.
	Ref int `json:"-"`
}

type redirect struct {
	Status int    `json:"status"`
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	Port   int    `json:"port,omitempty"`
	// HTTPPorts and HTTPSPorts are the listeners' ports for the scheme. The redirect names the one
	// in the request's Host header, or else the first.
	HTTPPorts  []int32 `json:"http_ports,omitempty"`
	HTTPSPorts []int32 `json:"https_ports,omitempty"`
	Path       *path   `json:"path,omitempty"`
}

type rewrite struct {
	Host string `json:"host,omitempty"`
	Path *path  `json:"path,omitempty"`
}

// path replaces a whole path with Full, or its Prefix with Replacement.
type path struct {
	Full        *string `json:"full,omitempty"`
	Prefix      *string `json:"prefix,omitempty"`
	Replacement *string `json:"replacement,omitempty"`
}

type headers struct {
	Set    []header `json:"set,omitempty"`
	Add    []header `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Failing returns the set that answers all requests with an error.
func Failing() Set { return Set{Shares: NoBackend(500), Total: 1} }

// NoBackend returns the only share of a rule without backends, which answers with the status.
func NoBackend(status int) []Share { return []Share{{Status: status, Weight: 1}} }

// Plugins returns the plugins that implement the set.
func (f Set) Plugins() []route.Plugin {
	var all []route.Plugin
	if f.actions != (actions{}) || len(f.Shares) > 0 || f.Relay != "" || f.HTTP2 {
		all = append(all, route.NewPlugin(pluginName, f))
	}
	if f.cors != nil {
		all = append(all, route.NewPlugin(corsPlugin, f.cors))
	}
	return all
}

// ForListener returns the filters for a listener, or for the listeners that share its port of Kong:
// a redirect that names neither scheme nor port keeps the listener's port. If kongPort is 0, the
// request may have come through any of the ports given for its scheme.
func (f Set) ForListener(kongPort, port int32, ports map[string][]int32) Set {
	if f.Redirect == nil || f.Redirect.Port != 0 || f.Redirect.Scheme != "" {
		return f
	}
	redirect := *f.Redirect
	f.Redirect = &redirect
	if kongPort != 0 {
		redirect.Port = int(port)
	} else {
		redirect.HTTPPorts, redirect.HTTPSPorts = notDefault(ports["http"], 80), notDefault(ports["https"], 443)
	}
	return f
}

// notDefault returns the ports of a scheme; nil if its default, which URLs omit, is the only one.
func notDefault(ports []int32, byDefault int32) []int32 {
	if len(ports) == 1 && ports[0] == byDefault {
		return nil
	}
	return ports
}
