// Package annotation reads the konghq.com annotations. An invalid value results in a verdict on
// the object, and so does an unknown annotation.
package annotation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Prefix is the prefix of all annotations that are read.
const Prefix = "konghq.com/"

// formerPrefix is the prefix of version 2 of the Kong Ingress Controller. It is no longer read.
const formerPrefix = "configuration.konghq.com/"

// The annotations, without their prefix.
const (
	Tags                    = "tags"
	Plugins                 = "plugins"
	Protocols               = "protocols"
	StripPath               = "strip-path"
	PreserveHost            = "preserve-host"
	HTTPSRedirectStatusCode = "https-redirect-status-code"
	RegexPrefix             = "regex-prefix"
	RegexPriority           = "regex-priority"
	PathHandling            = "path-handling"
	Methods                 = "methods"
	SNIs                    = "snis"
	HostAliases             = "host-aliases"
	RequestBuffering        = "request-buffering"
	ResponseBuffering       = "response-buffering"
	HeadersSeparator        = "headers-separator"
	Rewrite                 = "rewrite"

	// Headers is followed by a header's name.
	Headers = "headers."

	Protocol       = "protocol"
	Path           = "path"
	ConnectTimeout = "connect-timeout"
	ReadTimeout    = "read-timeout"
	WriteTimeout   = "write-timeout"
	Retries        = "retries"
	HostHeader     = "host-header"
	ClientCert     = "client-cert"
	TLSVerify      = "tls-verify"
	TLSVerifyDepth = "tls-verify-depth"
	// The Kong Ingress Controller reads the first two. Its guides also name the others.
	CACertificatesSecret     = "ca-certificates-secret"
	CACertificatesConfigMap  = "ca-certificates-configmap"
	CACertificatesSecrets    = "ca-certificates-secrets"
	CACertificatesConfigMaps = "ca-certificates-configmaps"
	UpstreamPolicy           = "upstream-policy"
	Override                 = "override"

	// VaultNamespaces, on a KongVault, names the namespaces whose objects may refer to it.
	VaultNamespaces = "vault-namespaces"

	// PublishService is on Gateways. The Kong Ingress Controller wrote it there.
	PublishService = "publish-service"
	// GatewayClassUnmanaged makes the Gateways of a class use an existing Service.
	GatewayClassUnmanaged = "gatewayclass-unmanaged"
)

// ForceSSLRedirect is an older annotation without the prefix.
const ForceSSLRedirect = "ingress.kubernetes.io/force-ssl-redirect"

// ServiceUpstream, on a Service, leaves the choice of the endpoint to kube-proxy.
const ServiceUpstream = "ingress.kubernetes.io/service-upstream"

// The annotations that are read on one kind of object. Others on the object are [Ignored].
var (
	// RouteNames are read by [Values.Route] on Ingresses, HTTPRoutes and GRPCRoutes.
	RouteNames = []string{
		Tags, Protocols, StripPath, PreserveHost, HTTPSRedirectStatusCode, RegexPriority, PathHandling,
		Methods, SNIs, RequestBuffering, ResponseBuffering, HeadersSeparator, Headers,
	}
	// ServiceNames are read by backends on Services and KongServiceFacades.
	ServiceNames = []string{
		Tags, Protocol, Path, ConnectTimeout, ReadTimeout, WriteTimeout, Retries, HostHeader, ClientCert, TLSVerify,
		TLSVerifyDepth, CACertificatesSecret, CACertificatesConfigMap, CACertificatesSecrets, CACertificatesConfigMaps,
		UpstreamPolicy, Override, Plugins,
	}
)

// Field returns the path of an annotation by its name without the prefix.
func Field(name string) field.Path { return fieldOf(Prefix + name) }

// fieldOf returns the path of an annotation by its full name.
func fieldOf(name string) field.Path { return field.NewPath("metadata", "annotations").Key(name) }

// Ignored returns a verdict for each annotation with the prefix that is not read. A name with a
// final dot covers all names that start with it.
func Ignored(object metav1.Object, key unit.Key, read ...string) []unit.Verdict {
	var names []string
	for name := range object.GetAnnotations() {
		short, ok := strings.CutPrefix(name, Prefix)
		if ok && !contains(read, short) || strings.HasPrefix(name, formerPrefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var verdicts []unit.Verdict
	for _, name := range names {
		verdicts = append(verdicts, unit.Warning(key, "AnnotationIgnored",
			fmt.Sprintf("annotation %s is not supported on this object and has no effect", name)).At(fieldOf(name)))
	}
	return verdicts
}

func contains(read []string, name string) bool {
	return slices.ContainsFunc(read, func(r string) bool {
		return r == name || strings.HasSuffix(r, ".") && strings.HasPrefix(name, r)
	})
}

// Values reads one object's annotations and collects verdicts on them.
type Values struct {
	object   metav1.Object
	key      unit.Key
	Verdicts []unit.Verdict
}

// Of returns the annotations of an object.
func Of(object metav1.Object, key unit.Key) *Values {
	return &Values{object: object, key: key}
}

// Text returns an unparsed value, or the default if it is not set.
func (v *Values) Text(name, unset string) string {
	if value, ok := v.object.GetAnnotations()[Prefix+name]; ok {
		return value
	}
	return unset
}

// Bool parses "true" or "false", in any case.
func (v *Values) Bool(name string, unset bool) bool {
	value, ok := v.object.GetAnnotations()[Prefix+name]
	if !ok {
		return unset
	}
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true":
		return true
	case "false":
		return false
	}
	v.Invalid(name, value, "true or false")
	return unset
}

// Number parses an integer from least to most; nil if it is not set or invalid.
func (v *Values) Number(name string, least, most int) *int {
	value, ok := v.object.GetAnnotations()[Prefix+name]
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < least || n > most {
		v.Invalid(name, value, fmt.Sprintf("a number from %d to %d", least, most))
		return nil
	}
	return &n
}

// ServiceUpstream parses the annotation [ServiceUpstream].
func (v *Values) ServiceUpstream() bool {
	switch value := v.object.GetAnnotations()[ServiceUpstream]; strings.ToLower(strings.TrimSpace(value)) {
	case "true":
		return true
	case "", "false":
	default:
		v.warn(fieldOf(ServiceUpstream), "AnnotationInvalid", fmt.Sprintf("annotation %s: %q is not true or false", ServiceUpstream, value))
	}
	return false
}

// VerifyTLS parses the annotation [TLSVerify]; nil if it is not set. An invalid value is taken for true, so that a mistake
// does not send requests to an unverified endpoint.
func (v *Values) VerifyTLS() *bool {
	value, ok := v.object.GetAnnotations()[Prefix+TLSVerify]
	if !ok {
		return nil
	}
	verify := strings.ToLower(strings.TrimSpace(value))
	if verify != "true" && verify != "false" {
		v.Invalid(TLSVerify, value, "true or false; the certificates of endpoints are verified")
	}
	return ptr.To(verify != "false")
}

// Word parses one of the allowed words, in any case.
func (v *Values) Word(name, unset string, allowed ...string) string {
	value, ok := v.object.GetAnnotations()[Prefix+name]
	if !ok {
		return unset
	}
	if word := strings.ToLower(strings.TrimSpace(value)); slices.Contains(allowed, word) {
		return word
	}
	v.Invalid(name, value, "one of "+strings.Join(allowed, ", "))
	return unset
}

// Items parses a comma-separated list. It drops empty and repeated items.
func (v *Values) Items(name string) []string {
	return distinct(split(v.Text(name, ""), ","))
}

// distinct drops repeated items.
func distinct[T comparable](items []T) []T {
	seen := make(map[T]struct{}, len(items))
	return slices.DeleteFunc(items, func(item T) bool {
		_, known := seen[item]
		seen[item] = struct{}{}
		return known
	})
}

// Few is Items with at most [limit.Items] items.
func (v *Values) Few(name string) []string {
	items := v.Items(name)
	if len(items) > limit.Items {
		v.warn(Field(name), "AnnotationInvalid", fmt.Sprintf("annotation %s%s has %d items, but only the first %d are read", Prefix, name, len(items), limit.Items))
		items = items[:limit.Items]
	}
	return items
}

func split(list, separator string) []string {
	var items []string
	for item := range strings.SplitSeq(list, separator) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// OneOf parses one of the allowed numbers.
func (v *Values) OneOf(name string, unset int, allowed ...int) int {
	value, ok := v.object.GetAnnotations()[Prefix+name]
	if !ok {
		return unset
	}
	if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && slices.Contains(allowed, n) {
		return n
	}
	v.Invalid(name, value, strings.Trim(strings.ReplaceAll(fmt.Sprint(allowed), " ", ", "), "[]"))
	return unset
}

// List parses a comma-separated list of allowed items. It drops other items, and returns the
// default if none is left.
func (v *Values) List(name string, unset, allowed []string) []string {
	value, ok := v.object.GetAnnotations()[Prefix+name]
	if !ok {
		return unset
	}
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		item = strings.ToLower(strings.TrimSpace(item))
		switch {
		case item == "" || len(items) >= limit.Items:
		case slices.Contains(allowed, item):
			items = append(items, item)
		default:
			v.Invalid(name, item, "a list of "+strings.Join(allowed, ", "))
		}
	}
	if len(items) == 0 {
		return unset
	}
	return items
}

// UserTags returns the tags for the object's entities: those of the annotation, then those of the
// object's field spec.tags. It drops tags that Kong does not accept, or that would name another
// object.
func (v *Values) UserTags(fields ...string) []string {
	var tags []string
	size, full := 0, false
	add := func(tag, where string, at field.Path) {
		wrong := ""
		switch {
		case full:
			return
		case !kong.ValidTag(tag):
			wrong = "a printable tag without slashes and commas"
		case strings.HasPrefix(tag, kong.OwnTag):
			wrong = "a user's tag: tags that start with " + kong.OwnTag + " are reserved for the object of an entity"
		case slices.Contains(tags, tag):
		case size+len(tag) > limit.TagBytes || len(tags) == limit.Tags:
			full = true
			wrong = fmt.Sprintf("among the first %d tags with %d bytes in all, which is the limit for an object: it and the tags after it are left out", limit.Tags, limit.TagBytes)
		default:
			tags, size = append(tags, tag), size+len(tag)
		}
		if wrong != "" {
			v.warn(at, "TagInvalid", fmt.Sprintf("%s: %q is not %s", where, limit.Text(tag, mostQuoted), wrong))
		}
	}
	for tag := range strings.SplitSeq(v.Text(Tags, ""), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			add(tag, "annotation "+Prefix+Tags, Field(Tags))
		}
	}
	for i, tag := range fields {
		at := field.NewPath("spec", "tags").Index(i)
		add(tag, at.String(), at)
	}
	return tags
}

// mostQuoted is the maximum length of a quoted value in a verdict, in bytes.
const mostQuoted = 200

// Invalid adds a verdict that a value is not what is allowed, such as "a number from 0 to 9".
func (v *Values) Invalid(name, value, allowed string) {
	v.warn(Field(name), "AnnotationInvalid", fmt.Sprintf("annotation %s%s: %q is not %s", Prefix, name, limit.Text(value, mostQuoted), allowed))
}

// warn adds a verdict, up to the limit of verdicts.
func (v *Values) warn(at field.Path, reason, message string) {
	if len(v.Verdicts) <= limit.Verdicts {
		v.Verdicts = append(v.Verdicts, unit.Warning(v.key, reason, message).At(at))
	}
}
