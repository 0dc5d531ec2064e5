package backendtlspolicy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/certificate"
	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// ofService finds the BackendTLSPolicies of a Service.
const ofService unit.Index[types.NamespacedName] = "BackendTLSPolicy of Service"

// role is that of the units of policies.
const role unit.Role[Policy] = "backend-tls-policy"

// Options are settings of the operator.
type Options struct {
	// Controller is what statuses call us.
	Controller string
	// Relay reports that there is a relay, without which no policy has an effect.
	Relay bool
}

// Define adds the units of BackendTLSPolicies to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Each(g, role, unit.BackendTLSPolicy, o.translate).OnPanic(func(unit.Key) Policy {
		return Policy{Wrong: "it could not be translated"}
	})
	unit.DefineIndex(g, ofService, unit.BackendTLSPolicy, func(policy *gatewayv1.BackendTLSPolicy) (services []types.NamespacedName) {
		for _, target := range policy.Spec.TargetRefs {
			if targetsService(target) {
				services = append(services, types.NamespacedName{Namespace: policy.Namespace, Name: string(target.Name)})
			}
		}
		return services
	})
}

func targetsService(target gatewayv1.LocalPolicyTargetReferenceWithSectionName) bool {
	return unit.IsCore(target.Group) && target.Kind == "Service"
}

// Of returns the policies of a Service's ports and of the whole of it, the oldest first.
func Of(r *unit.Reader, namespace, service string) []*gatewayv1.BackendTLSPolicy {
	all := unit.List[*gatewayv1.BackendTLSPolicy](r, ofService, types.NamespacedName{Namespace: namespace, Name: service})
	slices.SortStableFunc(all, func(a, b *gatewayv1.BackendTLSPolicy) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return all
}

// precedent is the first policy for a Service's port of this name, or without a name for the
// whole Service; nil if there is none.
func precedent(all []*gatewayv1.BackendTLSPolicy, service, port string) *gatewayv1.BackendTLSPolicy {
	for _, policy := range all {
		if Targets(policy, service, port) {
			return policy
		}
	}
	return nil
}

// Targets reports whether a policy is for a Service's port of this name, or without a name for the
// whole Service.
func Targets(policy *gatewayv1.BackendTLSPolicy, service, port string) bool {
	return slices.ContainsFunc(policy.Spec.TargetRefs, func(target gatewayv1.LocalPolicyTargetReferenceWithSectionName) bool {
		return targetsService(target) && string(target.Name) == service && string(ptr.Deref(target.SectionName, "")) == port
	})
}

// Policy is how a BackendTLSPolicy has backends connected to. It is the value of the policy's unit.
type Policy struct {
	// TLS is nil if nothing is to be sent to backends, and Wrong says why.
	TLS   *route.BackendTLS
	Wrong string
	// Missing is the object without which the policy is not valid.
	Missing unit.Key
}

// find returns the policy that takes effect for a Service's port: the one for the port itself
// before that for the whole Service.
func find(r *unit.Reader, e backend.Endpoints) (key unit.Key, found bool) {
	all := Of(r, e.Service.Namespace, e.Service.Name)
	policy := precedent(all, e.Service.Name, e.ServicePort.Name)
	if policy == nil {
		policy = precedent(all, e.Service.Name, "")
	}
	if policy == nil {
		return key, false
	}
	return unit.BackendTLSPolicy.Of(policy), true
}

// NameOf names the policy that takes effect for a Service's port; it is empty if there is none.
func NameOf(r *unit.Reader, e backend.Endpoints) string {
	if key, ok := find(r, e); ok {
		return key.String()
	}
	return ""
}

// Use returns the policy that takes effect for endpoints; nil if there is none.
func Use(r *unit.Reader, e backend.Endpoints) *Policy {
	key, ok := find(r, e)
	if !ok {
		return nil
	}
	says := unit.Use(r, role.Of(key.Namespace, key.Name))
	if says.TLS == nil {
		says.Wrong = fmt.Sprintf("%s: %s", key, says.Wrong)
	}
	return &says
}

// translation is the state of translating one BackendTLSPolicy.
type translation struct {
	reader   *unit.Reader
	policy   *gatewayv1.BackendTLSPolicy
	accepted condition.Diagnosis
	resolved condition.Diagnosis
}

// translate makes the value of a BackendTLSPolicy: by whom backends are verified, and as whom.
func (o Options) translate(r *unit.Reader, key unit.Key, policy *gatewayv1.BackendTLSPolicy) (unit.Fragment, Policy) {
	t := &translation{reader: r, policy: policy, accepted: accepted(), resolved: resolvedRefs()}
	t.precedence()
	says := Policy{TLS: t.validation()}
	if says.TLS != nil && !t.depth(says.TLS) {
		says.TLS = nil
	}
	if !o.Relay {
		says.TLS, t.accepted = nil, notAccepted(gatewayv1.PolicyReasonInvalid, route.ErrRelayOff.Error()).At(field.Spec.Child("validation"))
	}
	if says.TLS == nil {
		says.Wrong, says.Missing = t.accepted.Message, t.accepted.Missing
	}
	status := &status{controller: o.Controller, conditions: condition.Observed(policy.Generation, t.accepted, t.resolved)}
	status.Add(key, "", t.accepted, t.resolved)
	return unit.Fragment{Status: status, Verdicts: t.ignored(key)}, says
}

func targetField(i int) field.Path { return field.Spec.Child("targetRefs").Index(i) }

// validationField is the path of what a policy says of backends.
var validationField = field.Spec.Child("validation")

// precedence finds out for which targets another policy comes first.
func (t *translation) precedence() {
	var lost []string
	var at field.Path
	for i, target := range t.policy.Spec.TargetRefs {
		if !targetsService(target) {
			continue
		}
		all := Of(t.reader, t.policy.Namespace, string(target.Name))
		first := precedent(all, string(target.Name), string(ptr.Deref(target.SectionName, "")))
		if first.Name != t.policy.Name {
			if len(lost) == 0 {
				at = targetField(i)
			}
			lost = append(lost, fmt.Sprintf("BackendTLSPolicy %s/%s is for the same of Service %s, and comes first", first.Namespace, first.Name, target.Name))
		}
	}
	if len(lost) > 0 {
		t.accepted = notAccepted(gatewayv1.PolicyReasonConflicted, strings.Join(lost, "; ")).At(at)
	}
}

// validation is what a policy says of backends; nil if nothing of it can be had.
func (t *translation) validation() *route.BackendTLS {
	v := t.policy.Spec.Validation
	says := &route.BackendTLS{ServerName: strings.ToLower(string(v.Hostname))}
	switch wellKnown := ptr.Deref(v.WellKnownCACertificates, ""); {
	case len(v.CACertificateRefs) > 0:
		if says.CAs = t.bundles(v.CACertificateRefs); says.CAs == "" {
			t.accepted = notAccepted(gatewayv1.BackendTLSPolicyReasonNoValidCACertificate, t.resolved.Message).With(t.resolved.Fault)
			return nil
		}
	case wellKnown != gatewayv1.WellKnownCACertificatesSystem:
		t.accepted = notAccepted(gatewayv1.PolicyReasonInvalid,
			fmt.Sprintf("wellKnownCACertificates %q is not known; %s is", wellKnown, gatewayv1.WellKnownCACertificatesSystem)).At(validationField.Child("wellKnownCACertificates"))
		return nil
	}
	for i, name := range v.SubjectAltNames {
		switch name.Type {
		case gatewayv1.HostnameSubjectAltNameType:
			says.Hosts = append(says.Hosts, strings.ToLower(string(name.Hostname)))
		case gatewayv1.URISubjectAltNameType:
			says.URIs = append(says.URIs, string(name.URI))
		default:
			t.accepted = notAccepted(gatewayv1.PolicyReasonInvalid, fmt.Sprintf("a subjectAltName of the type %q is not known", name.Type)).
				At(validationField.Child("subjectAltNames").Index(i).Child("type"))
			return nil
		}
	}
	return says
}

// depthOption is the Kong Ingress Controller's: how many CA certificates may stand between
// that of a backend and one that the policy names.
const depthOption gatewayv1.AnnotationKey = "tls-verify-depth"

func optionField(name gatewayv1.AnnotationKey) field.Path {
	return field.Spec.Child("options").Key(string(name))
}

// maxDepth is the most that it may be, as in Kong.
const maxDepth = 64

// depth reads the option. A policy whose option cannot be read has no effect: nothing is
// sent to its backends.
func (t *translation) depth(says *route.BackendTLS) bool {
	text, ok := t.policy.Spec.Options[depthOption]
	if !ok {
		return true
	}
	depth, err := strconv.Atoi(string(text))
	if err != nil || depth < 0 || depth > maxDepth {
		t.accepted = notAccepted(gatewayv1.PolicyReasonInvalid,
			fmt.Sprintf("spec.options: %s %q is not a number from 0 to %d", depthOption, text, maxDepth)).At(optionField(depthOption))
		return false
	}
	says.Depth = &depth
	return true
}

// bundles joins the certificates of all references that can be followed. The others leave
// fewer that a backend is verified by, never more.
func (t *translation) bundles(refs []gatewayv1.LocalObjectReference) (all string) {
	unresolved := func(f unit.Fault, reason gatewayv1.PolicyConditionReason, message string) {
		if condition.IsTrue(t.resolved) {
			t.resolved = unresolvedRefs(reason, message).With(f)
		}
	}
	for i, ref := range refs {
		at := validationField.Child("caCertificateRefs").Index(i)
		kind := unit.Kind(ref.Kind)
		if !unit.IsCore(ref.Group) || kind != unit.ConfigMap && kind != unit.Secret {
			unresolved(unit.At(at.Child("kind")), gatewayv1.BackendTLSPolicyReasonInvalidKind,
				fmt.Sprintf("%s is of the kind %s; CA certificates are in a ConfigMap or a Secret", ref.Name, unit.QualifiedKind(ref.Group, ref.Kind)))
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
func (t *translation) ignored(key unit.Key) (verdicts []unit.Verdict) {
	for i, target := range t.policy.Spec.TargetRefs {
		if !targetsService(target) {
			verdicts = append(verdicts, unit.Warning(key, "UnsupportedTarget",
				fmt.Sprintf("target %s is of the kind %s, and a Service is supported", target.Name, unit.QualifiedKind(target.Group, target.Kind))).At(targetField(i).Child("kind")))
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
