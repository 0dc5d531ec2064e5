package gatewayapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// A BackendTLSPolicy is always the relay's to hold. Kong asks a backend for the name that
// the request's Host header has, and verifies by that: it is the policy's host name only
// where the Host is rewritten to it, and never another name or a URI.

// policiesOf finds the BackendTLSPolicies of a Service.
const policiesOf unit.Index[types.NamespacedName] = "BackendTLSPolicy of Service"

func indexPolicies(g *unit.Graph) {
	unit.DefineIndex(g, policiesOf, unit.BackendTLSPolicy, func(policy *gatewayv1.BackendTLSPolicy) (services []types.NamespacedName) {
		for _, target := range policy.Spec.TargetRefs {
			if ofService(target) {
				services = append(services, types.NamespacedName{Namespace: policy.Namespace, Name: string(target.Name)})
			}
		}
		return services
	})
}

func ofService(target gatewayv1.LocalPolicyTargetReferenceWithSectionName) bool {
	return unit.IsCore(target.Group) && target.Kind == "Service"
}

// policies are those of a Service's ports and of the whole of it, the oldest first.
func policies(r *unit.Reader, namespace, service string) []*gatewayv1.BackendTLSPolicy {
	all := unit.List[*gatewayv1.BackendTLSPolicy](r, policiesOf, types.NamespacedName{Namespace: namespace, Name: service})
	slices.SortStableFunc(all, func(a, b *gatewayv1.BackendTLSPolicy) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return all
}

// precedent is the first policy for a Service's port of this name, or without a name for the
// whole Service; nil if there is none.
func precedent(all []*gatewayv1.BackendTLSPolicy, service, port string) *gatewayv1.BackendTLSPolicy {
	for _, policy := range all {
		if isFor(policy, service, port) {
			return policy
		}
	}
	return nil
}

func isFor(policy *gatewayv1.BackendTLSPolicy, service, port string) bool {
	return slices.ContainsFunc(policy.Spec.TargetRefs, func(target gatewayv1.LocalPolicyTargetReferenceWithSectionName) bool {
		return ofService(target) && string(target.Name) == service && string(value(target.SectionName, "")) == port
	})
}

// backendTLS is the value of a policy's unit.
type backendTLS struct {
	// TLS is nil if nothing is to be sent to backends, and Wrong says why.
	TLS   *route.BackendTLS
	Wrong string
	// Missing is the object without which the policy is not valid.
	Missing unit.Key
}

// policyFor is the policy that counts for a Service's port: the one for the port itself
// before that for the whole Service.
func policyFor(r *unit.Reader, e backend.Endpoints) (key unit.Key, found bool) {
	all := policies(r, e.Service.Namespace, e.Service.Name)
	policy := precedent(all, e.Service.Name, e.ServicePort.Name)
	if policy == nil {
		policy = precedent(all, e.Service.Name, "")
	}
	if policy == nil {
		return key, false
	}
	return unit.BackendTLSPolicy.Of(policy), true
}

// policyOf names the policy that counts for a Service's port; empty for none.
func policyOf(r *unit.Reader, e backend.Endpoints) string {
	if key, ok := policyFor(r, e); ok {
		return key.String()
	}
	return ""
}

// usePolicy is how the endpoints are to be spoken to; nil if no policy says it.
func usePolicy(r *unit.Reader, e backend.Endpoints) *backendTLS {
	key, ok := policyFor(r, e)
	if !ok {
		return nil
	}
	says := unit.Use(r, backendTLSRole.Of(key.Namespace, key.Name))
	if says.TLS == nil {
		says.Wrong = fmt.Sprintf("%s: %s", key, says.Wrong)
	}
	return &says
}

// policies tells the statuses of a backend's policies about the Gateways of a route, also of
// those that do not count because others come first. Users of the route are told of one that
// keeps requests from the backend.
func (t *routeTranslation) policies(rule int, found resolution) {
	e := found.endpoints
	if e.Service == nil {
		return
	}
	if found.policy != nil && found.policy.TLS == nil {
		t.warn(unit.Lacking(found.at, found.policy.Missing), "BackendTLSPolicyInvalid", "rule %d: nothing is sent to Service %s/%s: %s", rule, e.Service.Namespace, e.Service.Name, found.policy.Wrong)
	}
	for _, policy := range policies(t.reader, e.Service.Namespace, e.Service.Name) {
		if !isFor(policy, e.Service.Name, "") && !isFor(policy, e.Service.Name, e.ServicePort.Name) {
			continue
		}
		key := unit.BackendTLSPolicy.Of(policy)
		for _, gateway := range t.attachment.gateways {
			t.reader.Attach(unit.Section{Object: key, Name: gateway.Namespace + "/" + gateway.Name})
		}
	}
}

// policyTranslation is the state of translating one BackendTLSPolicy.
type policyTranslation struct {
	reader   *unit.Reader
	policy   *gatewayv1.BackendTLSPolicy
	accepted diagnosis
	resolved diagnosis
}

// backendTLSPolicy translates a BackendTLSPolicy: by whom backends are verified, and as whom.
func (o Options) backendTLSPolicy(r *unit.Reader, key unit.Key, policy *gatewayv1.BackendTLSPolicy) (unit.Fragment, backendTLS) {
	t := &policyTranslation{reader: r, policy: policy, accepted: policyAccepted(), resolved: policyResolvedRefs()}
	t.precedence()
	says := backendTLS{TLS: t.validation()}
	if says.TLS != nil && !t.depth(says.TLS) {
		says.TLS = nil
	}
	if !o.Relay.Address.IsValid() {
		says.TLS, t.accepted = nil, policyNotAccepted(gatewayv1.PolicyReasonInvalid, errNoRelay.Error()).at(spec.Child("validation"))
	}
	if says.TLS == nil {
		says.Wrong, says.Missing = t.accepted.Message, t.accepted.Missing
	}
	status := &policyStatus{controller: o.Controller, conditions: observed(policy.Generation, t.accepted, t.resolved)}
	status.add(key, "", t.accepted, t.resolved)
	return unit.Fragment{Status: status, Verdicts: t.ignored(key)}, says
}

func targetField(i int) field.Path { return spec.Child("targetRefs").Index(i) }

// validationField is the path of what a policy says of backends.
var validationField = spec.Child("validation")

// precedence finds out for which targets another policy comes first.
func (t *policyTranslation) precedence() {
	var lost []string
	var at field.Path
	for i, target := range t.policy.Spec.TargetRefs {
		if !ofService(target) {
			continue
		}
		all := policies(t.reader, t.policy.Namespace, string(target.Name))
		first := precedent(all, string(target.Name), string(value(target.SectionName, "")))
		if first.Name != t.policy.Name {
			if len(lost) == 0 {
				at = targetField(i)
			}
			lost = append(lost, fmt.Sprintf("BackendTLSPolicy %s/%s is for the same of Service %s, and comes first", first.Namespace, first.Name, target.Name))
		}
	}
	if len(lost) > 0 {
		t.accepted = policyNotAccepted(gatewayv1.PolicyReasonConflicted, strings.Join(lost, "; ")).at(at)
	}
}

// validation is what a policy says of backends; nil if nothing of it can be had.
func (t *policyTranslation) validation() *route.BackendTLS {
	v := t.policy.Spec.Validation
	says := &route.BackendTLS{ServerName: strings.ToLower(string(v.Hostname))}
	switch wellKnown := value(v.WellKnownCACertificates, ""); {
	case len(v.CACertificateRefs) > 0:
		if says.CAs = t.bundles(v.CACertificateRefs); says.CAs == "" {
			t.accepted = policyNotAccepted(gatewayv1.BackendTLSPolicyReasonNoValidCACertificate, t.resolved.Message).with(t.resolved.Fault)
			return nil
		}
	case wellKnown != gatewayv1.WellKnownCACertificatesSystem:
		t.accepted = policyNotAccepted(gatewayv1.PolicyReasonInvalid,
			fmt.Sprintf("wellKnownCACertificates %q is not known; %s is", wellKnown, gatewayv1.WellKnownCACertificatesSystem)).at(validationField.Child("wellKnownCACertificates"))
		return nil
	}
	for i, name := range v.SubjectAltNames {
		switch name.Type {
		case gatewayv1.HostnameSubjectAltNameType:
			says.Hosts = append(says.Hosts, strings.ToLower(string(name.Hostname)))
		case gatewayv1.URISubjectAltNameType:
			says.URIs = append(says.URIs, string(name.URI))
		default:
			t.accepted = policyNotAccepted(gatewayv1.PolicyReasonInvalid, fmt.Sprintf("a subjectAltName of the type %q is not known", name.Type)).
				at(validationField.Child("subjectAltNames").Index(i).Child("type"))
			return nil
		}
	}
	return says
}

// depthOption is the Kong Ingress Controller's: how many CA certificates may stand between
// that of a backend and one that the policy names.
const depthOption gatewayv1.AnnotationKey = "tls-verify-depth"

func optionField(name gatewayv1.AnnotationKey) field.Path {
	return spec.Child("options").Key(string(name))
}

// maxDepth is the most that it may be, as in Kong.
const maxDepth = 64

// depth reads the option. A policy whose option cannot be read has no effect: nothing is
// sent to its backends.
func (t *policyTranslation) depth(says *route.BackendTLS) bool {
	text, ok := t.policy.Spec.Options[depthOption]
	if !ok {
		return true
	}
	depth, err := strconv.Atoi(string(text))
	if err != nil || depth < 0 || depth > maxDepth {
		t.accepted = policyNotAccepted(gatewayv1.PolicyReasonInvalid,
			fmt.Sprintf("spec.options: %s %q is not a number from 0 to %d", depthOption, text, maxDepth)).at(optionField(depthOption))
		return false
	}
	says.Depth = &depth
	return true
}

// bundles joins the certificates of all references that can be followed. The others leave
// fewer that a backend is verified by, never more.
func (t *policyTranslation) bundles(refs []gatewayv1.LocalObjectReference) (all string) {
	unresolved := func(f unit.Fault, reason gatewayv1.PolicyConditionReason, message string) {
		if isTrue(t.resolved) {
			t.resolved = policyUnresolvedRefs(reason, message).with(f)
		}
	}
	for i, ref := range refs {
		at := validationField.Child("caCertificateRefs").Index(i)
		kind := unit.Kind(ref.Kind)
		if !unit.IsCore(ref.Group) || kind != unit.ConfigMap && kind != unit.Secret {
			unresolved(unit.At(at.Child("kind")), gatewayv1.BackendTLSPolicyReasonInvalidKind,
				fmt.Sprintf("%s is of the kind %s; CA certificates are in a ConfigMap or a Secret", ref.Name, kindOf(ref.Group, ref.Kind)))
			continue
		}
		bundle := certificate.UseBundle(t.reader, kind, t.policy.Namespace, string(ref.Name))
		if len(bundle.Certificates) == 0 {
			unresolved(unit.Lacking(at.Child("name"), bundle.Missing), gatewayv1.BackendTLSPolicyReasonInvalidCACertificateRef, bundle.Message)
		}
		all += strings.Join(bundle.Certificates, "")
	}
	return all
}

// ignored tells what of a policy has no effect, for which its status has no place.
func (t *policyTranslation) ignored(key unit.Key) (verdicts []unit.Verdict) {
	for i, target := range t.policy.Spec.TargetRefs {
		if !ofService(target) {
			verdicts = append(verdicts, unit.Warning(key, "UnsupportedTarget",
				fmt.Sprintf("target %s is of the kind %s, and a Service is supported", target.Name, kindOf(target.Group, target.Kind))).At(targetField(i).Child("kind")))
		}
	}
	for _, option := range slices.Sorted(maps.Keys(t.policy.Spec.Options)) {
		if option != depthOption {
			verdicts = append(verdicts, unit.Warning(key, "UnsupportedValue",
				fmt.Sprintf("spec.options: %s has no effect; %s has", option, depthOption)).At(optionField(option)))
		}
	}
	return verdicts
}
