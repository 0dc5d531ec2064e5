package filter

import "github.com/kube-sync/kube-sync/translate/route"

// pluginName does in Kong what filters ask for. Its configuration is typed: nothing
// of it is a template, as the bundled plugins' values are.
const pluginName = "kube-sync-http"

// Set is what the plugins of a rule's routes do.
type Set struct {
	chain
	// Shares are backends that requests do not reach by the Kong service alone, out of
	// Total.
	Shares []Share `json:"shares,omitempty"`
	Total  int     `json:"total,omitempty"`
	// Relay names the rule to the relay.
	Relay string `json:"relay,omitempty"`
	// HTTP2 is how Kong sends the requests on.
	HTTP2 bool `json:"http2,omitempty"`

	// cors is for a plugin of its own.
	cors *cors
	// Extensions are the KongPlugins that are asked for.
	Extensions []Extension `json:"-"`
}

// chain is what the filters of a rule do, or those of one of its backends.
type chain struct {
	Redirect *redirect `json:"redirect,omitempty"`
	Rewrite  *rewrite  `json:"rewrite,omitempty"`
	Request  *headers  `json:"request,omitempty"`
	Response *headers  `json:"response,omitempty"`
}

// Share is the part of the requests, by its weight, that one backend gets: by its upstream, through
// the relay, or an error in its place.
type Share struct {
	Weight   int    `json:"weight"`
	Status   int    `json:"status,omitempty"`
	Upstream string `json:"upstream,omitempty"`
	Relay    string `json:"relay,omitempty"`
	chain

	// Ref is the place of the backend in the rule.
	Ref int `json:"-"`
}

type redirect struct {
	Status int    `json:"status"`
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	Port   int    `json:"port,omitempty"`
	// HTTPPorts and HTTPSPorts are those by which a request may have come, by its scheme:
	// the one that its Host header names, or else the first.
	HTTPPorts  []int32 `json:"http_ports,omitempty"`
	HTTPSPorts []int32 `json:"https_ports,omitempty"`
	Path       *path   `json:"path,omitempty"`
}

type rewrite struct {
	Host string `json:"host,omitempty"`
	Path *path  `json:"path,omitempty"`
}

// path replaces a path, or of a path the prefix.
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

// NoBackend returns the only share of a rule without anything to send requests to.
func NoBackend(status int) []Share { return []Share{{Status: status, Weight: 1}} }

// Plugins returns the plugins that are needed.
func (f Set) Plugins() []route.Plugin {
	var all []route.Plugin
	if f.chain != (chain{}) || len(f.Shares) > 0 || f.Relay != "" || f.HTTP2 {
		all = append(all, route.NewPlugin(pluginName, f))
	}
	if f.cors != nil {
		all = append(all, route.NewPlugin(corsPlugin, f.cors))
	}
	return all
}

// ForListener returns the filters for the requests of a listener, or of the listeners that share
// Kong's port with it: a redirect without a scheme or port of its own stays at the listener's port.
// The ports of listeners are by scheme; they matter where the listener has no port of Kong's.
func (f Set) ForListener(kongPort, port int32, reached map[string][]int32) Set {
	if f.Redirect == nil || f.Redirect.Port != 0 || f.Redirect.Scheme != "" {
		return f
	}
	redirect := *f.Redirect
	f.Redirect = &redirect
	if kongPort != 0 {
		redirect.Port = int(port)
	} else {
		redirect.HTTPPorts, redirect.HTTPSPorts = unusual(reached["http"], 80), unusual(reached["https"], 443)
	}
	return f
}

// unusual are the ports of a scheme unless they are its own alone, which URLs don't have.
func unusual(ports []int32, own int32) []int32 {
	if len(ports) == 1 && ports[0] == own {
		return nil
	}
	return ports
}
