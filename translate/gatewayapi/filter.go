package gatewayapi

import (
	"encoding/json"
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/route"
)

// filterPlugin does in Kong what filters ask for. Its configuration is typed: nothing
// of it is a template, as the bundled plugins' values are.
const filterPlugin = "kube-sync-http"

// filters are the plugin's configuration.
type filters struct {
	Redirect *redirect `json:"redirect,omitempty"`
	Rewrite  *rewrite  `json:"rewrite,omitempty"`
	Request  *headers  `json:"request,omitempty"`
	Response *headers  `json:"response,omitempty"`
	// Fail are shares, out of Total, of requests that get an error.
	Fail  []failure `json:"fail,omitempty"`
	Total int       `json:"total,omitempty"`

	// extensions are the names of KongPlugins that are asked for.
	extensions []string
}

type redirect struct {
	Status int    `json:"status"`
	Scheme string `json:"scheme,omitempty"`
	Host   string `json:"host,omitempty"`
	Port   int    `json:"port,omitempty"`
	Path   *path  `json:"path,omitempty"`
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

type failure struct {
	Status int `json:"status"`
	Weight int `json:"weight"`
}

// plugins is nothing if there is nothing to do.
func (f filters) plugins() []route.Plugin {
	if f.Redirect == nil && f.Rewrite == nil && f.Request == nil && f.Response == nil && len(f.Fail) == 0 {
		return nil
	}
	if len(f.Fail) == 0 {
		f.Total = 0
	}
	config, err := json.Marshal(f)
	if err != nil {
		panic(err) // texts and numbers
	}
	return []route.Plugin{{Name: filterPlugin, Config: config}}
}

// filtersOf reads a rule's filters for a match of the path. The error names what is
// not supported.
func filtersOf(rule *gatewayv1.HTTPRouteRule, matched route.Path) (filters, error) {
	var f filters
	for _, filter := range rule.Filters {
		if err := f.add(filter, matched); err != nil {
			return filters{}, err
		}
	}
	for _, ref := range rule.BackendRefs {
		if len(ref.Filters) > 0 {
			return filters{}, fmt.Errorf("filters of a backend are not supported")
		}
	}
	switch {
	case rule.Retry != nil:
		return filters{}, fmt.Errorf("retry is not supported")
	case rule.SessionPersistence != nil:
		return filters{}, fmt.Errorf("sessionPersistence is not supported")
	}
	return f, nil
}

func (f *filters) add(filter gatewayv1.HTTPRouteFilter, matched route.Path) (err error) {
	switch {
	case filter.Type == gatewayv1.HTTPRouteFilterRequestHeaderModifier && filter.RequestHeaderModifier != nil:
		f.Request = modified(f.Request, filter.RequestHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterResponseHeaderModifier && filter.ResponseHeaderModifier != nil:
		f.Response = modified(f.Response, filter.ResponseHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterRequestRedirect && filter.RequestRedirect != nil:
		r := filter.RequestRedirect
		f.Redirect = &redirect{
			Status: value(r.StatusCode, 302), Scheme: value(r.Scheme, ""),
			Host: string(value(r.Hostname, "")), Port: int(value(r.Port, 0)),
		}
		f.Redirect.Path, err = replacedPath(r.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterURLRewrite && filter.URLRewrite != nil:
		f.Rewrite = &rewrite{Host: string(value(filter.URLRewrite.Hostname, ""))}
		f.Rewrite.Path, err = replacedPath(filter.URLRewrite.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterExtensionRef && filter.ExtensionRef != nil &&
		filter.ExtensionRef.Group == "configuration.konghq.com" && filter.ExtensionRef.Kind == "KongPlugin":
		f.extensions = append(f.extensions, string(filter.ExtensionRef.Name))
	default:
		return fmt.Errorf("a filter of the type %s is not supported", filter.Type)
	}
	return err
}

func replacedPath(p *gatewayv1.HTTPPathModifier, matched route.Path) (*path, error) {
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
		return nil, fmt.Errorf("the prefix of a path can be replaced only where a prefix is matched")
	}
	return nil, fmt.Errorf("a path cannot be modified by %s", p.Type)
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
