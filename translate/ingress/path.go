package ingress

import (
	"regexp"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
)

// plainPath matches paths without characters of regular expressions. A class can make all other
// paths regular expressions, as in Kong 2.
var plainPath = regexp.MustCompile(`^[a-zA-Z0-9.\-_~/%]*$`)

// pathOf converts a path by its type.
func (t *translation) pathOf(path networkingv1.HTTPIngressPath) route.Path {
	kind := networkingv1.PathTypeImplementationSpecific
	if path.PathType != nil {
		kind = *path.PathType
	}
	switch kind {
	case networkingv1.PathTypeExact:
		return route.Path{Kind: route.Exact, Value: path.Path}
	case networkingv1.PathTypePrefix:
		return route.Path{Kind: route.Elements, Value: path.Path}
	}
	if regex, ok := strings.CutPrefix(path.Path, t.regexPrefix); ok {
		return route.Path{Kind: route.Regex, Value: regex}
	}
	if !plainPath.MatchString(path.Path) && t.parameters.LegacyRegex {
		return route.Path{Kind: route.Regex, Value: path.Path}
	}
	return route.Path{Kind: route.Characters, Value: path.Path}
}

// regexPath matches paths that are likely to be meant as regular expressions. Other ingress
// controllers take such paths for one.
var regexPath = regexp.MustCompile(`[\\^*?()\[\]{}|]|\$$`)

// literal warns if a path that is compared literally looks like a regular expression.
func (t *translation) literal(where kong.Part, path route.Path, kind *networkingv1.PathType) {
	if path.Kind == route.Regex || !regexPath.MatchString(path.Value) {
		return
	}
	use := t.regexPrefix + strings.TrimPrefix(path.Value, t.regexPrefix)
	if kind != nil && *kind != networkingv1.PathTypeImplementationSpecific {
		use += " and the pathType ImplementationSpecific"
	}
	t.warn(where.Path.Child("path"), condition.ReasonLiteralPath,
		"%s: the path looks like a regular expression, but it is compared literally; to make it one, use the path %s", where, limit.Text(use, mostQuoted))
}
