package annotation

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Route applies the annotations of an Ingress, HTTPRoute or GRPCRoute to the defaults of its Kong
// routes. Methods, server names and headers restrict the given match.
func (v *Values) Route(unset route.Route) route.Route {
	r := unset
	r.Protocols = v.protocols(unset.Protocols)
	r.StripPath = v.Bool(StripPath, unset.StripPath)
	r.PreserveHost = v.Bool(PreserveHost, unset.PreserveHost)
	r.BufferRequest = v.Bool(RequestBuffering, unset.BufferRequest)
	r.BufferResponse = v.Bool(ResponseBuffering, unset.BufferResponse)
	r.HTTPSRedirectStatus = v.redirect(&r, unset.HTTPSRedirectStatus)
	if methods := v.methods(); len(methods) > 0 {
		r.Match.Methods = methods
	}
	if snis := v.snis(); len(snis) > 0 {
		r.Match.SNIs = snis
	}
	r.Match.Headers = slices.Concat(unset.Match.Headers, v.headers())
	v.agree(&r)
	for _, name := range []string{RegexPriority, PathHandling} {
		if _, ok := v.object.GetAnnotations()[Prefix+name]; ok {
			v.Verdicts = append(v.Verdicts, unit.Warning(v.key, "AnnotationWithoutEffect", fmt.Sprintf(
				"annotation %s%s has no effect: it is for Kong's traditional router, while this gateway ranks paths by their length",
				Prefix, name)).At(Field(name)))
		}
	}
	return r
}

// protocols parses the protocols of a route. If one is invalid, the route is for TLS only: the invalid
// one may have been meant to exclude plain requests.
func (v *Values) protocols(unset []string) []string {
	before := len(v.Verdicts)
	protocols := v.List(Protocols, unset, []string{"http", "https", "grpc", "grpcs"})
	if len(v.Verdicts) == before {
		return protocols
	}
	v.add(before, onlyTLS)
	return withTLS(protocols)
}

const onlyTLS = "the route is served over TLS only"

// withTLS returns the protocol over TLS of the same kind.
func withTLS(protocols []string) []string {
	if slices.ContainsFunc(protocols, isGRPC) {
		return []string{"grpcs"}
	}
	return []string{"https"}
}

// redirect parses the redirect status, and limits a route that redirects to TLS. An invalid value is
// taken for true, so that a mistake does not serve plain requests.
func (v *Values) redirect(r *route.Route, unset int) int {
	value, ok := v.object.GetAnnotations()[ForceSSLRedirect]
	force := strings.ToLower(strings.TrimSpace(value))
	if ok && force != "false" {
		if force != "true" {
			v.warn(fieldOf(ForceSSLRedirect), "AnnotationInvalid", fmt.Sprintf("annotation %s: %q is not true or false; %s", ForceSSLRedirect, value, onlyTLS))
		}
		unset = 302
		r.Protocols = withTLS(r.Protocols)
	}
	return v.OneOf(HTTPSRedirectStatusCode, unset, 301, 302, 307, 308, 426)
}

func isGRPC(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }

// agree drops settings that exclude each other in Kong: a route is for HTTP or for gRPC, and a
// route for gRPC strips no path.
func (v *Values) agree(r *route.Route) {
	if !slices.ContainsFunc(r.Protocols, isGRPC) {
		return
	}
	if !isGRPC(r.Protocols[0]) || slices.ContainsFunc(r.Protocols, func(p string) bool { return !isGRPC(p) }) {
		first := isGRPC(r.Protocols[0])
		var kept []string
		for _, p := range r.Protocols {
			if isGRPC(p) == first {
				kept = append(kept, p)
			}
		}
		v.Invalid(Protocols, strings.Join(r.Protocols, ","), "a list of only HTTP or only gRPC protocols; "+strings.Join(kept, ",")+" takes effect")
		r.Protocols = kept
		if !first {
			return
		}
	}
	if r.StripPath {
		v.Invalid(StripPath, "true", "allowed with the protocols grpc and grpcs: use false")
		r.StripPath = false
	}
	if len(r.Match.Methods) > 0 && !slices.Contains(r.Match.Methods, http.MethodPost) {
		v.Invalid(Methods, strings.Join(r.Match.Methods, ","), "a list with POST, the method of all requests by gRPC; "+matchesNothing)
	}
}

var methodPattern = regexp.MustCompile(`^[A-Z]+$`)

func (v *Values) methods() []string {
	return v.restriction(Methods, strings.ToUpper, methodPattern.MatchString, "a list of HTTP methods, such as GET,POST", "")
}

func (v *Values) snis() []string {
	valid := func(name string) bool { return len(validation.IsDNS1123Subdomain(name)) == 0 }
	return v.restriction(SNIs, strings.ToLower, valid, "a list of host names without wildcards", " over TLS")
}

const matchesNothing = "the route matches no request"

// restriction parses a list that restricts a match of requests of some kind, and drops invalid items. If none is valid, it returns the first one as
// it is written, which no request has: a mistake must not make the route match all requests.
func (v *Values) restriction(name string, form func(string) string, valid func(string) bool, allowed, kind string) []string {
	before := len(v.Verdicts)
	items := v.Items(name)
	if text := strings.TrimSpace(v.Text(name, "")); len(items) == 0 && text != "" {
		items = []string{text} // only commas
	}
	var kept []string
	for _, item := range items {
		if value := form(item); valid(value) {
			kept = append(kept, value)
		} else {
			v.Invalid(name, item, allowed)
		}
	}
	if len(kept) == 0 && len(items) > 0 {
		kept = []string{form(items[0])}
		v.add(before, matchesNothing+kind)
	}
	return distinct(kept)
}

// add adds a consequence to the messages of the verdicts from the given number on.
func (v *Values) add(before int, consequence string) {
	for i := range v.Verdicts[before:] {
		v.Verdicts[before+i].Message += "; " + consequence
	}
}

// regexMark starts a header's value that is a regular expression.
const regexMark = "~*"

// headers parses the annotations headers.NAME, ordered by name.
func (v *Values) headers() []route.Values {
	separator := v.Text(HeadersSeparator, ",")
	if separator == "" {
		v.Invalid(HeadersSeparator, separator, "a string that separates values")
		separator = ","
	}
	var headers []route.Values
	all := v.object.GetAnnotations()
	for _, annotation := range slices.Sorted(maps.Keys(all)) {
		name, ok := strings.CutPrefix(annotation, Prefix+Headers)
		if !ok {
			continue
		}
		list := all[annotation]
		values := split(list, separator)
		if len(values) == 0 {
			v.Invalid(Headers+name, list, "a list of values; the route matches only requests with the header as it is written here")
			values = []string{strings.TrimSpace(list)}
		}
		headers = append(headers, headerValues(name, values))
	}
	return headers
}

// headerValues makes all values regular expressions if one is.
func headerValues(name string, values []string) route.Values {
	header := route.Values{Name: name, Values: values}
	header.Regex = slices.ContainsFunc(values, func(value string) bool { return strings.HasPrefix(value, regexMark) })
	if !header.Regex {
		return header
	}
	for i, value := range values {
		if regex, ok := strings.CutPrefix(value, regexMark); ok {
			values[i] = regex
		} else {
			values[i] = "^" + regexp.QuoteMeta(value) + "$"
		}
	}
	return header
}

// HostAliases returns additional hosts of an object's routes.
func (v *Values) HostAliases() []route.Host {
	var hosts []route.Host
	for _, item := range v.Few(HostAliases) {
		host := strings.ToLower(item)
		name := strings.TrimSuffix(strings.TrimPrefix(host, "*."), ".*")
		if len(validation.IsDNS1123Subdomain(name)) > 0 || strings.HasPrefix(host, "*.") && strings.HasSuffix(host, ".*") {
			v.Invalid(HostAliases, item, "a list of host names, which may start with *. or end with .*")
			continue
		}
		hosts = append(hosts, route.Host(host))
	}
	return distinct(hosts)
}
