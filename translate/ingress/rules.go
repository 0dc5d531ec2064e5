package ingress

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// rules translates spec.rules: one route for each path, because a route's rank depends on its path.
func (t *translation) rules() {
	for i, rule := range t.ingress.Spec.Rules {
		at := spec.Child("rules").Index(i)
		host, err := hostOf(rule.Host)
		if err != nil {
			t.warn(at.Child("host"), condition.ReasonHostInvalid, "rule %d: %v", i, err)
			continue
		}
		if rule.HTTP == nil {
			// A rule without paths sends its host to the default backend.
			if t.ingress.Spec.DefaultBackend != nil && host != "" {
				t.path(host, partOf(i, 0, host, "", at), networkingv1.HTTPIngressPath{Backend: *t.ingress.Spec.DefaultBackend}, defaultBackend)
			}
			continue
		}
		for j, path := range rule.HTTP.Paths {
			where := partOf(i, j, host, path.Path, at.Child("http", "paths").Index(j))
			t.path(host, where, path, where.Path.Child("backend"))
		}
	}
}

// mostQuoted is the maximum length of a path in verdicts, in bytes.
const mostQuoted = 200

// partOf returns a path of a rule as messages name it.
func partOf(i, j int, host route.Host, path string, at field.Path) kong.Part {
	name := fmt.Sprintf("rule %d path %d", i, j)
	address := string(host) + limit.Text(path, mostQuoted)
	if path != "" && path[0] != '/' {
		address = fmt.Sprintf("%s with the relative path %s", cmp.Or(string(host), "all hosts"), limit.Text(path, mostQuoted))
	}
	if address != "" {
		name += " (" + address + ")"
	}
	return kong.Part{Name: name, Path: at}
}

// path translates a path of a rule for its hosts. At is the field of the backend.
func (t *translation) path(host route.Host, where kong.Part, path networkingv1.HTTPIngressPath, at field.Path) {
	if t.allowance.Spent(where) {
		return
	}
	ref, ok := t.backend(where, path.Backend, at)
	if !ok {
		return
	}
	r := t.base
	r.Match.Path = t.pathOf(path)
	t.literal(where, r.Match.Path, path.PathType)
	if r.Backend = t.use(where, ref, at); r.Backend == "" {
		r.Refuse, ref = noBackend, backend.Ref{}
	}
	t.rewrite(&r)
	for _, host := range t.hosts(host) {
		if t.allowance.Spent(where) {
			continue
		}
		r.Match.Host = host
		r.Name = t.routeName(ref, r.Match)
		t.add(r, where)
	}
}

// hosts returns the host of a rule and the aliases. A rule for all hosts needs no aliases.
func (t *translation) hosts(host route.Host) []route.Host {
	hosts := []route.Host{host}
	if host == "" {
		return hosts
	}
	for _, alias := range t.aliases {
		if alias != host {
			hosts = append(hosts, alias)
		}
	}
	return hosts
}

// rewrite adds the plugin that rewrites paths. Kong allows only one of a name for a route; the user's
// plugin takes precedence.
func (t *translation) rewrite(r *route.Route) {
	if t.rewriting == nil {
		return
	}
	p := t.rewriting.Plugin(r.Match.Path, r.Tags)
	if slices.ContainsFunc(r.Plugins, func(other route.Plugin) bool {
		return other.Name == p.Name && other.Consumer == ""
	}) {
		t.warn(annotation.Field(annotation.Rewrite), "RewriteConflict", "annotation %s%s has no effect beside a plugin %s; use its config.replace.uri",
			annotation.Prefix, annotation.Rewrite, p.Name)
		return
	}
	r.Plugins = append(slices.Clip(r.Plugins), p)
}

var defaultBackend = spec.Child("defaultBackend")

// defaultBackend translates spec.defaultBackend, for requests that match no rule of any Ingress.
func (t *translation) defaultBackend() {
	if t.ingress.Spec.DefaultBackend == nil {
		return
	}
	where := kong.Part{Name: "default backend", Path: defaultBackend}
	ref, ok := t.backend(where, *t.ingress.Spec.DefaultBackend, where.Path)
	if !ok {
		return
	}
	r := t.base
	r.Match.Fallback = true
	t.rewrite(&r)
	r.Name = t.key.Namespace + "." + t.key.Name + t.suffix
	if r.Backend = t.use(where, ref, where.Path); r.Backend == "" {
		r.Refuse = noBackend
	}
	t.add(r, where)
}

// backend reads a reference to a Service or KongServiceFacade; it is false for others.
func (t *translation) backend(where kong.Part, b networkingv1.IngressBackend, at field.Path) (backend.Ref, bool) {
	ref := backend.Ref{Namespace: t.key.Namespace, Port: backend.ImplicitPort}
	switch {
	case b.Resource != nil && isFacade(b.Resource):
		return backend.Ref{Namespace: t.key.Namespace, Service: b.Resource.Name, Purpose: backend.Facade}, true
	case b.Resource != nil:
		t.warn(at.Child("resource", "kind"), "ResourceBackendNotSupported", "%s: a backend of kind %s is not supported; use a Service or KongServiceFacade", where, b.Resource.Kind)
		return ref, false
	case b.Service == nil:
		t.warn(at, "BackendMissing", "%s has no backend", where)
		return ref, false
	}
	ref.Service = b.Service.Name
	switch port := b.Service.Port; {
	case port.Name != "":
		ref.Port = port.Name
	case port.Number != 0:
		ref.Port = strconv.Itoa(int(port.Number))
	}
	return ref, true
}

func isFacade(b *corev1.TypedLocalObjectReference) bool {
	return b.Kind == string(unit.KongServiceFacade) && b.APIGroup != nil && *b.APIGroup == incubatorv1alpha1.SchemeGroupVersion.Group
}

// noBackend is the message to clients of a route with an invalid backend.
const noBackend = "there is no such backend"

// use returns the name of the backend's Kong service. A route whose backend does not exist is kept:
// its requests are answered 503 rather than by another route that matches.
func (t *translation) use(where kong.Part, ref backend.Ref, at field.Path) string {
	b := backend.Use(t.reader, ref)
	if b.Reason != "" {
		t.fault(unit.Lacking(fieldOf(ref, b, at), b.Missing), b.Reason, "%s: %s", where, b.Message)
	}
	return b.Service
}

// fieldOf returns the part of a reference that is wrong.
func fieldOf(ref backend.Ref, b backend.Backend, at field.Path) field.Path {
	switch {
	case ref.Purpose == backend.Facade:
		return at.Child("resource", "name")
	case !b.WrongPort:
		return at.Child("service", "name")
	case ref.Port == backend.ImplicitPort:
		return at.Child("service", "port")
	}
	if _, err := strconv.Atoi(ref.Port); err != nil {
		return at.Child("service", "port", "name")
	}
	return at.Child("service", "port", "number")
}

// hostOf validates a host, because manifests from a directory have not passed an API server.
func hostOf(host string) (route.Host, error) {
	host = strings.ToLower(host)
	check := validation.IsDNS1123Subdomain
	if strings.HasPrefix(host, "*") {
		check = validation.IsWildcardDNS1123Subdomain
	}
	if host == "" {
		return "", nil
	}
	if problems := check(host); len(problems) > 0 {
		return "", fmt.Errorf("host %q: %s", host, strings.Join(problems, ", "))
	}
	return route.Host(host), nil
}

// routeName returns the name that the Kong Ingress Controller gives its one route for a host and
// backend. Here each path has a route: the first gets that name, the others a digest of their path.
func (t *translation) routeName(ref backend.Ref, match route.Match) string {
	host := strings.ReplaceAll(string(match.Host), "*", "_")
	name := strings.Join([]string{t.key.Namespace, t.key.Name, ref.Service, host, ref.Port}, ".")
	if ref.Purpose == backend.Facade {
		name = strings.Join([]string{t.key.Namespace, t.key.Name, host, ref.Service, "svc.facade"}, ".")
	}
	name += t.suffix
	if !t.named[name] {
		t.named[name] = true
		return name
	}
	sum := sha1.Sum([]byte(strconv.Itoa(int(match.Path.Kind)) + match.Path.Value))
	return name + "." + hex.EncodeToString(sum[:4])
}
