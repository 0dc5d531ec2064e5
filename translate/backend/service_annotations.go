package backend

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/translate/upstream"
)

// protocols are the protocols of Kong's services.
var protocols = []string{"http", "https", "grpc", "grpcs", "tcp", "tls", "udp"}

// Kong's maximum values.
const (
	maxTimeout = 1<<31 - 2
	maxRetries = 32767
	maxDepth   = 64
)

// settings is the state of reading the annotations of an object.
type settings struct {
	reader    *unit.Reader
	namespace string
	values    *annotation.Values
	key       unit.Key
	purpose   Purpose
	backend   *route.Backend
}

// Settings reads the annotations [annotation.ServiceNames] of a Service or KongServiceFacade into a
// backend, which has the defaults. Problems are added to the values' verdicts. A backend that cannot be
// as secure as its annotations ask loses its targets, so that Kong answers 503.
func Settings(r *unit.Reader, object metav1.Object, key unit.Key, purpose Purpose, values *annotation.Values, b *route.Backend) {
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
	for _, problem := range applyLimits(b, r.Limits()) {
		s.warn(unit.At(problem.Path), condition.ReasonObjectTooLarge, problem.Message)
	}
	values.ServiceUpstream() // for its verdict
}

// plugins reads the plugins for all requests to the object.
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

// pathPattern matches the paths that Kong accepts.
var pathPattern = regexp.MustCompile(`^(/([A-Za-z0-9._~:@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)*/?$`)

func (s *settings) path() {
	path := s.values.Text(annotation.Path, "")
	switch {
	case path == "":
	case s.backend.Protocol != "http" && s.backend.Protocol != "https":
		s.values.Invalid(annotation.Path, path, "supported for protocol "+s.backend.Protocol)
	case !pathPattern.MatchString(path):
		s.backend.Targets = nil
		s.values.Invalid(annotation.Path, path, "a path that begins with / and has no characters that need encoding; "+
			"requests are answered 503 rather than sent to another path")
	default:
		s.backend.Path = path
	}
}

// balancing reads the KongUpstreamPolicy, which takes precedence over a KongIngress.
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
		s.values.Invalid(annotation.Override, older, "used beside "+annotation.Prefix+annotation.UpstreamPolicy)
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

// tls reads the annotations for protocols over TLS.
func (s *settings) tls() {
	if s.backend.Protocol == "grpcs" && ptr.Deref(s.values.VerifyTLS(), false) {
		s.backend.Targets = nil
		s.warn(unit.At(annotation.Field(annotation.TLSVerify)), "TLSVerifyNotSupported", fmt.Sprintf(
			"annotation %s%s is not supported for the protocol grpcs; requests are answered 503 rather than sent to an unverified endpoint",
			annotation.Prefix, annotation.TLSVerify))
		return
	}
	if s.backend.Protocol != "https" && s.backend.Protocol != "tls" {
		for _, name := range []string{annotation.ClientCert, annotation.TLSVerify, annotation.TLSVerifyDepth,
			annotation.CACertificatesSecret, annotation.CACertificatesConfigMap,
			annotation.CACertificatesSecrets, annotation.CACertificatesConfigMaps} {
			if value := s.values.Text(name, ""); value != "" {
				s.values.Invalid(name, value, "supported for protocol "+s.backend.Protocol+", only for https and tls")
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
	s.backend.TLSVerify = s.values.VerifyTLS()
	s.backend.TLSVerifyDepth = s.values.Number(annotation.TLSVerifyDepth, 0, maxDepth)
	var named string // the first annotation that names CA certificates
	for _, from := range []struct {
		name string
		kind unit.Kind
	}{
		{annotation.CACertificatesSecret, unit.Secret}, {annotation.CACertificatesSecrets, unit.Secret},
		{annotation.CACertificatesConfigMap, unit.ConfigMap}, {annotation.CACertificatesConfigMaps, unit.ConfigMap},
	} {
		s.cas(from.name, from.kind)
		if named == "" && len(s.values.Items(from.name)) > 0 {
			named = from.name
		}
	}
	slices.Sort(s.backend.CACertificates)
	s.backend.CACertificates = slices.Compact(s.backend.CACertificates)
	verify := s.backend.TLSVerify != nil && *s.backend.TLSVerify
	if verify && named != "" && len(s.backend.CACertificates) == 0 {
		// Kong would use its default CA certificates.
		s.backend.Targets = nil
		s.warn(unit.Fault{Field: annotation.Field(named), Follows: true}, "CACertificatesMissing", "none of the CA certificates is available; requests are answered 503 rather than sent to an endpoint that other CAs vouch for")
	}
	if !verify && named != "" {
		s.warn(unit.At(annotation.Field(named)), condition.ReasonAnnotationWithoutEffect, fmt.Sprintf("CA certificates have no effect without the annotation %s%s: \"true\"",
			annotation.Prefix, annotation.TLSVerify))
	}
}

// cas reads a list of objects with CA certificates. An unavailable one only leaves fewer to trust.
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
