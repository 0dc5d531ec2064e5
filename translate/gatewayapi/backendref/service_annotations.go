package backendref

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/annotation"
	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// serviceSettings is what the annotations of a backend's Service say.
type serviceSettings struct {
	transport  route.Transport
	balancing  *route.Balancing
	hostHeader string
	plugins    []route.Plugin
	refused    bool // a plugin that it relies on is not to be had
	tags       []string
}

// settings reads the annotations of the Services of all backends that are there. One that
// cannot be had as safe as it is asked for has no endpoints.
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
			b.Protocol = "http" // as for an Ingress that has the same Service
		}
		backend.Settings(t.reader, s.service, key, t.purpose, values, &b)
		if t.purpose != backend.Requests {
			t.purpose.UseStreamProtocol(&b)
			b.HostHeader = ""
		}
		s.serviceSettings = serviceSettings{b.Transport, b.Balancing, b.HostHeader, b.Plugins, b.Refuse != "", values.UserTags()}
		var few string
		if s.targets, few = t.few(b.Targets, len(t.shares)); few != "" {
			t.warn(unit.At(s.at), "ObjectTooLarge", "%s: %s", s.name(), few)
		}
		if s.refused {
			s.targets = nil
		}
		t.fragment.Verdicts = slices.Concat(t.fragment.Verdicts, values.Verdicts,
			annotation.Ignored(s.service, key, annotation.ServiceNames...))
	}
}

// few are the first endpoints of a backend, one of so many in a rule that may have as many
// together as a backend alone.
func (t *ruleTranslation) few(targets []route.Target, backends int) ([]route.Target, string) {
	limits := t.reader.Limits()
	return backend.First(targets, backend.Most(limits, backends), limits)
}

// reached is what of a transport decides whether an endpoint gets requests as its Service
// asks, by the annotations that say it.
func (s serviceSettings) reached() any {
	t := s.transport
	return []any{t.Path, t.ClientCertificate, t.TLSVerify, t.TLSVerifyDepth, t.CACertificates}
}

var reachedBy = []string{annotation.Path, annotation.ClientCert, annotation.TLSVerify, annotation.TLSVerifyDepth,
	annotation.CACertificatesSecret, annotation.CACertificatesConfigMap,
	annotation.CACertificatesSecrets, annotation.CACertificatesConfigMaps}

// agree finds what holds for all backends of a rule: Kong has one service for them. It is
// what the first says that gets requests. A backend that would have its requests sent in
// another way gets none; where the difference is one of patience, the first's counts.
func (t *ruleTranslation) agree() (all serviceSettings) {
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
		if !reflect.DeepEqual(s.reached(), first.reached()) {
			s.broken, s.targets = true, nil
			t.unresolved(unsupported(s.at, "%s and %s are backends of one rule, and their annotations %s differ",
				s.name(), first.name(), konghq(reachedBy)))
			continue
		}
		if !s.patient(first) {
			t.differ(s.at, "%s and %s are backends of one rule, and their annotations %s differ: those of the latter count for both",
				s.name(), first.name(), konghq([]string{annotation.ConnectTimeout, annotation.ReadTimeout, annotation.WriteTimeout, annotation.Retries}))
		}
		if !s.refused && !first.refused && !reflect.DeepEqual(s.plugins, first.plugins) {
			t.differ(s.at, "%s and %s are backends of one rule, and their annotations %s differ: requests to either have the plugins of both",
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
		t.warn(unit.At(problem.Path), "ObjectTooLarge", "%s", problem.Message)
	}
	if t.refuse != "" {
		for i := range t.shares {
			t.shares[i].targets = nil
		}
	}
	all.transport, all.balancing, all.hostHeader, all.plugins = first.transport, first.balancing, first.hostHeader, attached.Plugins
	return all
}

// patient tells whether endpoints are waited for, and tried again, as those of another.
func (s *share) patient(other *share) bool {
	patience := func(t route.Transport) any {
		return []any{t.ConnectTimeout, t.ReadTimeout, t.WriteTimeout, t.Retries}
	}
	return reflect.DeepEqual(patience(s.transport), patience(other.transport))
}

// balanced tells whether one upstream can have the endpoints of all backends.
func balanced(shares []share) bool {
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

// unresolved has the route's status say why a backend is none.
func (t *ruleTranslation) unresolved(problem *Problem) {
	if t.found.Unresolved == nil {
		t.found.Unresolved = problem
	}
}

func (t *ruleTranslation) differ(at field.Path, format string, args ...any) {
	t.fragment.Verdicts = unit.AppendNew(t.fragment.Verdicts, unit.Warning(t.key, "BackendsDiffer", fmt.Sprintf(format, args...)).At(at))
}

// konghq names annotations: "konghq.com/path, tls-verify".
func konghq(names []string) string { return annotation.Prefix + strings.Join(names, ", ") }
