package filter

import (
	"slices"
	"strings"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Of translates a rule's filters for a match of the path, and its backend's filters if it has only
// one backend. At is the path of the rule. The error names the filter that is not supported.
func Of(rule *gatewayv1.HTTPRouteRule, matched route.Path, at field.Path) (Set, error) {
	var f Set
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
			return Set{}, unit.WithFault(err, unit.FaultOf(err, "").Within(path))
		}
	}
	return f, nil
}

func (f *Set) add(filter gatewayv1.HTTPRouteFilter, matched route.Path, at field.Path) error {
	name, extends := PluginName(filter.ExtensionRef)
	switch {
	case filter.Type == gatewayv1.HTTPRouteFilterExtensionRef && extends:
		f.Extensions = append(f.Extensions, Extension{name, at.Child("extensionRef", "name")})
		return nil
	case filter.Type == gatewayv1.HTTPRouteFilterCORS && filter.CORS != nil:
		f.cors = corsOf(filter.CORS)
		return f.cors.check()
	}
	return f.actions.add(filter, matched)
}

func (a *actions) add(filter gatewayv1.HTTPRouteFilter, matched route.Path) (err error) {
	switch {
	case filter.Type == gatewayv1.HTTPRouteFilterRequestHeaderModifier && filter.RequestHeaderModifier != nil:
		a.Request, err = modified(a.Request, filter.RequestHeaderModifier), checkFraming("requestHeaderModifier", filter.RequestHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterResponseHeaderModifier && filter.ResponseHeaderModifier != nil:
		a.Response, err = modified(a.Response, filter.ResponseHeaderModifier), checkFraming("responseHeaderModifier", filter.ResponseHeaderModifier)
	case filter.Type == gatewayv1.HTTPRouteFilterRequestRedirect && filter.RequestRedirect != nil:
		r := filter.RequestRedirect
		a.Redirect = &redirect{
			Status: ptr.Deref(r.StatusCode, 302), Scheme: ptr.Deref(r.Scheme, ""),
			Host: string(ptr.Deref(r.Hostname, "")), Port: int(ptr.Deref(r.Port, 0)),
		}
		a.Redirect.Path, err = replacedPath("requestRedirect", r.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterURLRewrite && filter.URLRewrite != nil:
		a.Rewrite = &rewrite{Host: string(ptr.Deref(filter.URLRewrite.Hostname, ""))}
		a.Rewrite.Path, err = replacedPath("urlRewrite", filter.URLRewrite.Path, matched)
	case filter.Type == gatewayv1.HTTPRouteFilterRequestMirror && filter.RequestMirror != nil:
		// The relay mirrors, after all other filters.
	default:
		return FieldErrorf("type", "filters of type %s are not supported", filter.Type)
	}
	return firstError(err, a.check())
}

func replacedPath(in field.Path, p *gatewayv1.HTTPPathModifier, matched route.Path) (*path, error) {
	switch {
	case p == nil:
		return nil, nil
	case p.Type == gatewayv1.FullPathHTTPPathModifier:
		full := ptr.Deref(p.ReplaceFullPath, "")
		if full == "" || full[0] != '/' {
			full = "/" + full
		}
		return &path{Full: &full}, nil
	case p.Type == gatewayv1.PrefixMatchHTTPPathModifier && matched.Kind == route.Elements:
		replacement := ptr.Deref(p.ReplacePrefixMatch, "")
		return &path{Prefix: &matched.Value, Replacement: &replacement}, nil
	case p.Type == gatewayv1.PrefixMatchHTTPPathModifier:
		return nil, FieldErrorf(in.Child("path"), "%s.path: %s needs a match with a PathPrefix", in, p.Type)
	}
	return nil, FieldErrorf(in.Child("path", "type"), "%s.path: type %s is not supported", in, p.Type)
}

// checkFraming refuses a filter that changes where a message ends: the receiver would read a part
// of the message as the next one, or the next one as a part of this one.
func checkFraming(part field.Path, filter *gatewayv1.HTTPHeaderFilter) error {
	names := slices.Clone(filter.Remove)
	for _, h := range slices.Concat(filter.Set, filter.Add) {
		names = append(names, string(h.Name))
	}
	for _, name := range names {
		if strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") {
			return FieldErrorf(part, "%s: the header %s depends on the body and cannot be modified", part, name)
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

// All returns the filters of a rule and of all its backends.
func All(rule *gatewayv1.HTTPRouteRule) []gatewayv1.HTTPRouteFilter {
	all := slices.Clone(rule.Filters)
	for _, ref := range rule.BackendRefs {
		all = append(all, ref.Filters...)
	}
	return all
}
