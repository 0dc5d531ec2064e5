package gatewayapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// filterPlugin does in Kong what filters ask for. Its configuration is typed: nothing
// of it is a template, as the bundled plugins' values are.
const filterPlugin = "kube-sync-http"

// filters are what the plugins of a rule's routes are to do.
type filters struct {
	chain
	// Shares are backends that requests do not reach by the Kong service alone, out of
	// Total.
	Shares []drawn `json:"shares,omitempty"`
	Total  int     `json:"total,omitempty"`
	// Relay names the rule to the relay.
	Relay string `json:"relay,omitempty"`
	// HTTP2 is how Kong sends the requests on.
	HTTP2 bool `json:"http2,omitempty"`

	// cors is for a plugin of its own.
	cors *cors
	// extensions are the KongPlugins that are asked for.
	extensions []namedPlugin
}

// namedPlugin is the name of a KongPlugin, and its path.
type namedPlugin struct {
	name string
	at   field.Path
}

// chain is what the filters of a rule do, or those of one of its backends.
type chain struct {
	Redirect *redirect `json:"redirect,omitempty"`
	Rewrite  *rewrite  `json:"rewrite,omitempty"`
	Request  *headers  `json:"request,omitempty"`
	Response *headers  `json:"response,omitempty"`
}

// drawn is a backend as often as its weight has it: an upstream, a relay, or an error.
type drawn struct {
	Weight   int    `json:"weight"`
	Status   int    `json:"status,omitempty"`
	Upstream string `json:"upstream,omitempty"`
	Relay    string `json:"relay,omitempty"`
	chain

	// ref is the place of the backend in the rule.
	ref int
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

// failing answers all requests with an error.
func failing() filters { return filters{Shares: noBackend(500), Total: 1} }

// noBackend is what is drawn where there is nothing to send to.
func noBackend(status int) []drawn { return []drawn{{Status: status, Weight: 1}} }

// plugins are what it takes, each only if there is something to do.
func (f filters) plugins() []route.Plugin {
	var all []route.Plugin
	if f.chain != (chain{}) || len(f.Shares) > 0 || f.Relay != "" || f.HTTP2 {
		all = append(all, pluginOf(filterPlugin, f))
	}
	if f.cors != nil {
		all = append(all, pluginOf(corsPlugin, f.cors))
	}
	return all
}

func pluginOf(name string, config any) route.Plugin {
	encoded, err := json.Marshal(config)
	if err != nil {
		panic(err) // texts and numbers
	}
	return route.Plugin{Name: name, Config: encoded}
}

// at is what the filters say of requests that come by a binding: a redirect without a
// scheme or port of its own stays at the listener's port.
func (f filters) at(b binding) filters {
	if f.Redirect == nil || f.Redirect.Port != 0 || f.Redirect.Scheme != "" {
		return f
	}
	redirect := *f.Redirect
	f.Redirect = &redirect
	if b.kongPort != 0 {
		redirect.Port = int(b.port)
	} else {
		redirect.HTTPPorts, redirect.HTTPSPorts = unusual(b.reached["http"], 80), unusual(b.reached["https"], 443)
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

// filtersOf reads a rule's filters for a match of the path, and those of its backend if
// there is only one. The path is the rule's. The error names what is not supported.
func filtersOf(rule *gatewayv1.HTTPRouteRule, matched route.Path, at field.Path) (filters, error) {
	var f filters
	var own []gatewayv1.HTTPRouteFilter
	if len(rule.BackendRefs) == 1 {
		own = rule.BackendRefs[0].Filters
	}
	for i, filter := range slices.Concat(rule.Filters, own) {
		path := at.Child("filters").Index(i)
		if of := len(rule.Filters); i >= of {
			path = at.Child("backendRefs").Index(0).Child("filters").Index(i - of)
		}
		if err := f.add(filter, matched, path); err != nil {
			return filters{}, unit.WithFault(err, unit.FaultOf(err, "").Within(path))
		}
	}
	return f, nil
}

func (f *filters) add(filter gatewayv1.HTTPRouteFilter, matched route.Path, at field.Path) error {
	name, extends := pluginExtension(filter.ExtensionRef)
	switch {
	case filter.Type == gatewayv1.HTTPRouteFilterExtensionRef && extends:
		f.extensions = append(f.extensions, namedPlugin{name, at.Child("extensionRef", "name")})
		return nil
	case filter.Type == gatewayv1.HTTPRouteFilterCORS && filter.CORS != nil:
		f.cors = corsOf(filter.CORS)
		return f.cors.check()
	}
	return f.chain.add(filter, matched)
}

func (c *chain) add(filter gatewayv1.HTTPRouteFilter, matched route.Path) (err error) {
	switch {
	case filter.Type == gatewayv1.HTTPRouteFilterRequestHeaderModifier && filter.RequestHeaderModifier != nil:
		c.Request, err = modified(c.Request, filter.RequestHeaderModifier), framed("requestHeaderModifier", filter.RequestHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterResponseHeaderModifier && filter.ResponseHeaderModifier != nil:
		c.Response, err = modified(c.Response, filter.ResponseHeaderModifier), framed("responseHeaderModifier", filter.ResponseHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterRequestRedirect && filter.RequestRedirect != nil:
		r := filter.RequestRedirect
		c.Redirect = &redirect{
			Status: value(r.StatusCode, 302), Scheme: value(r.Scheme, ""),
			Host: string(value(r.Hostname, "")), Port: int(value(r.Port, 0)),
		}
		c.Redirect.Path, err = replacedPath("requestRedirect", r.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterURLRewrite && filter.URLRewrite != nil:
		c.Rewrite = &rewrite{Host: string(value(filter.URLRewrite.Hostname, ""))}
		c.Rewrite.Path, err = replacedPath("urlRewrite", filter.URLRewrite.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterRequestMirror && filter.RequestMirror != nil:
		// It is for the relay, after all other filters.
	default:
		return wrongIn("type", "a filter of the type %s is not supported", filter.Type)
	}
	return errorsIn(err, c.check())
}

// wrongIn is an error about a field of a filter or rule.
func wrongIn(path field.Path, format string, args ...any) error {
	return unit.WithFault(fmt.Errorf(format, args...), unit.At(path))
}

func replacedPath(in field.Path, p *gatewayv1.HTTPPathModifier, matched route.Path) (*path, error) {
	switch {
	case p == nil:
		return nil, nil
	case p.Type == gatewayv1.FullPathHTTPPathModifier:
		full := value(p.ReplaceFullPath, "")
		if full == "" || full[0] != '/' {
			full = "/" + full
		}
		return &path{Full: &full}, nil
	case p.Type == gatewayv1.PrefixMatchHTTPPathModifier && matched.Kind == route.Elements:
		replacement := value(p.ReplacePrefixMatch, "")
		return &path{Prefix: &matched.Value, Replacement: &replacement}, nil
	case p.Type == gatewayv1.PrefixMatchHTTPPathModifier:
		return nil, wrongIn(in.Child("path"), "the prefix of a path can be replaced only where a prefix is matched")
	}
	return nil, wrongIn(in.Child("path", "type"), "a path cannot be modified by %s", p.Type)
}

// framed refuses a filter that changes where a message ends: what follows it on the connection
// would be taken for a part of it, or the other way round.
func framed(part field.Path, filter *gatewayv1.HTTPHeaderFilter) error {
	names := slices.Clone(filter.Remove)
	for _, h := range slices.Concat(filter.Set, filter.Add) {
		names = append(names, string(h.Name))
	}
	for _, name := range names {
		if strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
			return wrongIn(part, "%s names the header %s, which follows from the body and cannot be modified", part, name)
		}
	}
	return nil
}

func modified(all *headers, filter *gatewayv1.HTTPHeaderFilter) *headers {
	if all == nil {
		all = &headers{}
	}
	all.Set = appendHeaders(all.Set, filter.Set)
	all.Add = appendHeaders(all.Add, filter.Add)
	all.Remove = append(all.Remove, filter.Remove...)
	return all
}

func appendHeaders(all []header, more []gatewayv1.HTTPHeader) []header {
	for _, h := range more {
		all = append(all, header{Name: string(h.Name), Value: h.Value})
	}
	return all
}
