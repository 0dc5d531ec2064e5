package backendref

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// serviceSettings holds the annotations of a backend's Service.
type serviceSettings struct {
	transport  route.Transport
	balancing  *route.Balancing
	hostHeader string
	plugins    []route.Plugin
	refused    bool // a plugin that it relies on is unavailable
	tags       []string
}

// settings reads the annotations of the Services of all available backends. A backend that
// cannot be as secure as its annotations ask loses its endpoints.
func (t *ruleTranslation) settings() {
	for i := range t.shares {
		s := &t.shares[i]
		if s.broken {
			continue
		}
		key := unit.Service.Of(s.service)
		values := annotation.Of(s.service, key)
		b := route.Backend{Protocol: s.protocol, Targets: s.targets}
		if t.purpose != backend.Requests {
			b.Protocol = "http" // the default that Ingresses use for the same Service
		}
		backend.Settings(t.reader, s.service, key, t.purpose, values, &b)
		if t.purpose != backend.Requests {
			t.purpose.UseStreamProtocol(&b)
			b.HostHeader = ""
		}
		s.serviceSettings = serviceSettings{b.Transport, b.Balancing, b.HostHeader, b.Plugins, b.Refuse != "", values.UserTags()}
		var tooMany string
		if s.targets, tooMany = t.firstTargets(b.Targets, len(t.shares)); tooMany != "" {
			t.warn(unit.At(s.at), condition.ReasonObjectTooLarge, "%s: %s", s.name(), tooMany)
		}
		if s.refused {
			s.targets = nil
		}
		t.fragment.Verdicts = slices.Concat(t.fragment.Verdicts, values.Verdicts,
			annotation.Ignored(s.service, key, annotation.ServiceNames...))
	}
}

// firstTargets returns as many endpoints of a backend as it may have in a rule with so many
// backends, and a message about the rest. All backends of a rule share one backend's limit.
func (t *ruleTranslation) firstTargets(targets []route.Target, backends int) ([]route.Target, string) {
	limits := t.reader.Limits()
	return backend.FirstTargets(targets, backend.MaxTargets(limits, backends), limits)
}

// required returns the settings that all backends of a rule must have in common, which come from
// requiredAnnotations: an endpoint must not get requests in another way than its Service asks.
func (s serviceSettings) required() any {
	t := s.transport
	return []any{t.Path, t.ClientCertificate, t.TLSVerify, t.TLSVerifyDepth, t.CACertificates}
}

var requiredAnnotations = []string{annotation.Path, annotation.ClientCert, annotation.TLSVerify, annotation.TLSVerifyDepth,
	annotation.CACertificatesSecret, annotation.CACertificatesConfigMap,
	annotation.CACertificatesSecrets, annotation.CACertificatesConfigMaps}

// commonSettings returns the settings of the one Kong service for all backends of a rule. They are
// those of the first backend with a weight. A backend whose required settings differ gets no
// requests; different timeouts and retries are ignored.
func (t *ruleTranslation) commonSettings() (all serviceSettings) {
	var first *share
	var attached plugin.Attachment
	for i := range t.shares {
		s := &t.shares[i]
		if s.broken || s.weight == 0 {
			continue
		}
		if first == nil {
			first = s
		}
		if !reflect.DeepEqual(s.required(), first.required()) {
			s.broken, s.targets = true, nil
			t.unresolved(unsupported(s.at, "%s and %s are backends of one rule, but their annotations %s differ",
				s.name(), first.name(), konghq(requiredAnnotations)))
			continue
		}
		if !s.sameTimeouts(first) {
			t.differ(s.at, "%s and %s are backends of one rule, but their annotations %s differ: the latter's apply to both",
				s.name(), first.name(), konghq([]string{annotation.ConnectTimeout, annotation.ReadTimeout, annotation.WriteTimeout, annotation.Retries}))
		}
		if !s.refused && !first.refused && !reflect.DeepEqual(s.plugins, first.plugins) {
			t.differ(s.at, "%s and %s are backends of one rule, but their annotations %s differ: the plugins of both apply to all requests",
				s.name(), first.name(), konghq([]string{annotation.Plugins}))
		}
		if !s.refused {
			attached = attached.With(plugin.Attachment{Plugins: s.plugins}, t.key, s.at)
		}
		for _, tag := range s.tags {
			if !slices.Contains(all.tags, tag) {
				all.tags = append(all.tags, tag)
			}
		}
	}
	if first == nil {
		return all
	}
	t.fragment.Verdicts = append(t.fragment.Verdicts, attached.Verdicts...)
	allowance := kong.NewAllowance(t.reader.Limits())
	attached.Plugins, t.refuse = allowance.Guard(attached.Plugins, attached.Refuse, kong.Part{Name: "the backends of a rule", Path: t.at.Child("backendRefs")})
	for _, problem := range allowance.Problems() {
		t.warn(unit.At(problem.Path), condition.ReasonObjectTooLarge, "%s", problem.Message)
	}
	if t.refuse != "" {
		for i := range t.shares {
			t.shares[i].targets = nil
		}
	}
	all.transport, all.balancing, all.hostHeader, all.plugins = first.transport, first.balancing, first.hostHeader, attached.Plugins
	return all
}

// sameTimeouts reports whether two backends have the same timeouts and retries.
func (s *share) sameTimeouts(other *share) bool {
	timeouts := func(t route.Transport) any {
		return []any{t.ConnectTimeout, t.ReadTimeout, t.WriteTimeout, t.Retries}
	}
	return reflect.DeepEqual(timeouts(s.transport), timeouts(other.transport))
}

// sameBalancing reports whether one upstream can hold the endpoints of all backends.
func sameBalancing(shares []share) bool {
	var first *share
	for i := range shares {
		switch s := &shares[i]; {
		case s.broken || s.weight == 0:
		case first == nil:
			first = s
		case s.hostHeader != first.hostHeader || !reflect.DeepEqual(s.balancing, first.balancing):
			return false
		}
	}
	return true
}

// unresolved records a problem with a backend for the route's status.
func (t *ruleTranslation) unresolved(problem *Problem) {
	if t.found.Unresolved == nil {
		t.found.Unresolved = problem
	}
}

func (t *ruleTranslation) differ(at field.Path, format string, args ...any) {
	t.fragment.Verdicts = unit.AppendNew(t.fragment.Verdicts, unit.Warning(t.key, "BackendsDiffer", fmt.Sprintf(format, args...)).At(at))
}

// konghq returns names of annotations for messages: "konghq.com/path, tls-verify".
func konghq(names []string) string { return annotation.Prefix + strings.Join(names, ", ") }
