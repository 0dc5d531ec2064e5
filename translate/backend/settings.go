package backend

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/upstream"
)

// protocols are those that Kong speaks to services.
var protocols = []string{"http", "https", "grpc", "grpcs", "tcp", "tls", "udp"}

// The largest values that Kong takes.
const (
	maxTimeout = 1<<31 - 2
	maxRetries = 32767
	maxDepth   = 64
)

// settings is the state of reading what an object says of how it is spoken to.
type settings struct {
	reader    *unit.Reader
	namespace string
	values    *annotation.Values
	key       unit.Key
	purpose   For
	backend   *route.Backend
}

// Settings reads the annotations of a Service, or of what stands for one, into a backend
// that has the defaults. These are [annotation.ServiceNames]. The values' verdicts say what could not be had. A backend that
// cannot be had as safe as it was asked for loses its targets: Kong answers 503.
func Settings(r *unit.Reader, object metav1.Object, key unit.Key, purpose For, values *annotation.Values, b *route.Backend) {
	s := &settings{reader: r, namespace: object.GetNamespace(), values: values, key: key, purpose: purpose, backend: b}
	b.Protocol = values.Word(annotation.Protocol, b.Protocol, protocols...)
	s.path()
	b.ConnectTimeout = values.Number(annotation.ConnectTimeout, 1, maxTimeout)
	b.ReadTimeout = values.Number(annotation.ReadTimeout, 1, maxTimeout)
	b.WriteTimeout = values.Number(annotation.WriteTimeout, 1, maxTimeout)
	b.Retries = values.Number(annotation.Retries, 0, maxRetries)
	s.balancing()
	s.hostHeader()
	s.tls()
	s.plugins(object)
	for _, problem := range Bound(b, r.Limits()) {
		s.warn(unit.At(problem.Path), "ObjectTooLarge", problem.Message)
	}
	values.ServiceUpstream() // for what there is to say of it
}

// plugins are those of all routes to the object.
func (s *settings) plugins(object metav1.Object) {
	attached := plugin.Attached(s.reader, object, s.key)
	if s.purpose == Connections || s.purpose == Datagrams {
		attached = attached.OfStreams(s.key)
	}
	s.backend.Plugins, s.backend.Refuse = attached.Plugins, attached.Refuse
	s.values.Verdicts = append(s.values.Verdicts, attached.Verdicts...)
}

func (s *settings) warn(f unit.Fault, reason, message string) {
	s.values.Verdicts = append(s.values.Verdicts, unit.Warning(s.key, reason, message).With(f))
}

// pathPattern is what Kong takes for a path.
var pathPattern = regexp.MustCompile(`^(/([A-Za-z0-9._~:@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)*/?$`)

func (s *settings) path() {
	path := s.values.Text(annotation.Path, "")
	switch {
	case path == "":
	case s.backend.Protocol != "http" && s.backend.Protocol != "https":
		s.values.Invalid(annotation.Path, path, "possible for protocol "+s.backend.Protocol)
	case !pathPattern.MatchString(path):
		s.values.Invalid(annotation.Path, path, "a path that begins with / and has no characters that need encoding")
	default:
		s.backend.Path = path
	}
}

// balancing reads the policy. A KongIngress is older and gives way to it.
func (s *settings) balancing() {
	name := strings.TrimSpace(s.values.Text(annotation.UpstreamPolicy, ""))
	older := strings.TrimSpace(s.values.Text(annotation.Override, ""))
	if older != "" {
		p := unit.Use(s.reader, upstream.IngressRole.Of(s.namespace, older))
		if p.Reason != "" {
			s.warn(unit.Lacking(annotation.Field(annotation.Override), p.Missing), p.Reason, p.Message)
		}
		s.backend.Balancing, s.backend.HostHeader = p.Balancing, p.HostHeader
	}
	if name == "" {
		return
	}
	p := unit.Use(s.reader, upstream.PolicyRole.Of(s.namespace, name))
	if p.Reason != "" {
		s.warn(unit.Lacking(annotation.Field(annotation.UpstreamPolicy), p.Missing), p.Reason, p.Message)
		return
	}
	if older != "" {
		s.values.Invalid(annotation.Override, older, "of effect beside "+annotation.Prefix+annotation.UpstreamPolicy)
	}
	s.backend.Balancing = p.Balancing
	upstream.Attach(s.reader, name, s.key)
}

func (s *settings) hostHeader() {
	host := strings.TrimSpace(s.values.Text(annotation.HostHeader, ""))
	name, wrong := upstream.HostHeader(host)
	if wrong != "" {
		s.values.Invalid(annotation.HostHeader, host, wrong)
	}
	if name != "" {
		s.backend.HostHeader = name
	}
}

// tls reads what is for protocols over TLS alone.
func (s *settings) tls() {
	if s.backend.Protocol == "grpcs" && s.values.Bool(annotation.TLSVerify, false) {
		s.backend.Targets = nil
		s.warn(unit.At(annotation.Field(annotation.TLSVerify)), "TLSVerifyNotSupported", fmt.Sprintf(
			"annotation %s%s: Kong verifies nobody by the protocol grpcs; requests are answered 503 rather than sent to an endpoint that nobody vouches for",
			annotation.Prefix, annotation.TLSVerify))
		return
	}
	if s.backend.Protocol != "https" && s.backend.Protocol != "tls" {
		for _, name := range []string{annotation.ClientCert, annotation.TLSVerify, annotation.TLSVerifyDepth,
			annotation.CACertificatesSecret, annotation.CACertificatesConfigMap,
			annotation.CACertificatesSecrets, annotation.CACertificatesConfigMaps} {
			if value := s.values.Text(name, ""); value != "" {
				s.values.Invalid(name, value, "possible for protocol "+s.backend.Protocol+", only for https and tls")
			}
		}
		return
	}
	if name := strings.TrimSpace(s.values.Text(annotation.ClientCert, "")); name != "" {
		c := certificate.Use(s.reader, s.namespace, name)
		if c.ID == "" {
			s.warn(unit.Lacking(annotation.Field(annotation.ClientCert), c.Missing), c.Reason, fmt.Sprintf("annotation %s%s: %s", annotation.Prefix, annotation.ClientCert, c.Message))
		}
		s.backend.ClientCertificate = c.ID
	}
	s.backend.TLSVerify = s.values.Flag(annotation.TLSVerify)
	s.backend.TLSVerifyDepth = s.values.Number(annotation.TLSVerifyDepth, 0, maxDepth)
	var asked string // the first annotation that names CAs
	for _, from := range []struct {
		name string
		kind unit.Kind
	}{
		{annotation.CACertificatesSecret, unit.Secret}, {annotation.CACertificatesSecrets, unit.Secret},
		{annotation.CACertificatesConfigMap, unit.ConfigMap}, {annotation.CACertificatesConfigMaps, unit.ConfigMap},
	} {
		s.cas(from.name, from.kind)
		if asked == "" && len(s.values.Items(from.name)) > 0 {
			asked = from.name
		}
	}
	slices.Sort(s.backend.CACertificates)
	s.backend.CACertificates = slices.Compact(s.backend.CACertificates)
	verify := s.backend.TLSVerify != nil && *s.backend.TLSVerify
	if verify && asked != "" && len(s.backend.CACertificates) == 0 {
		// Kong would verify by the CAs that it trusts for everything else.
		s.backend.Targets = nil
		s.warn(unit.Fault{Field: annotation.Field(asked), Follows: true}, "CACertificatesMissing", "none of the CA certificates to verify by is there; requests are answered 503 rather than sent to an endpoint that others vouch for")
	}
	if !verify && asked != "" {
		s.warn(unit.At(annotation.Field(asked)), "AnnotationWithoutEffect", fmt.Sprintf("CA certificates have no effect without the annotation %s%s: \"true\"",
			annotation.Prefix, annotation.TLSVerify))
	}
}

// cas reads a list of objects with CA certificates. What cannot be had leaves fewer that
// an endpoint's certificate is verified by, never more.
func (s *settings) cas(name string, kind unit.Kind) {
	for _, object := range s.values.Few(name) {
		ca := certificate.UseCA(s.reader, kind, s.namespace, object)
		if ca.ID == "" {
			s.warn(unit.Lacking(annotation.Field(name), ca.Missing), ca.Reason, fmt.Sprintf("annotation %s%s: %s", annotation.Prefix, name, ca.Message))
			continue
		}
		s.backend.CACertificates = append(s.backend.CACertificates, ca.ID)
	}
}
