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

// role is the role of the units of policies.
const role unit.Role[Policy] = "backend-tls-policy"

// Options are settings of the operator.
type Options struct {
	// Controller is the controllerName for statuses.
	Controller string
	// Relay is whether there is a relay, without which no policy has an effect.
	Relay bool
}

// Define adds the units of BackendTLSPolicies to a graph.
func Define(g *unit.Graph, o Options) {
	unit.Each(g, role, unit.BackendTLSPolicy, o.translate).OnPanic(func(unit.Key) Policy {
		return Policy{Wrong: "the policy could not be translated"}
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

// Of returns the policies that target a Service or one of its ports, the oldest first.
func Of(r *unit.Reader, namespace, service string) []*gatewayv1.BackendTLSPolicy {
	all := unit.List[*gatewayv1.BackendTLSPolicy](r, ofService, types.NamespacedName{Namespace: namespace, Name: service})
	slices.SortStableFunc(all, func(a, b *gatewayv1.BackendTLSPolicy) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	return all
}

// firstFor returns the first policy that [Targets] the Service's port; nil if there is none.
func firstFor(all []*gatewayv1.BackendTLSPolicy, service, port string) *gatewayv1.BackendTLSPolicy {
	for _, policy := range all {
		if Targets(policy, service, port) {
			return policy
		}
	}
	return nil
}

// Targets reports whether a policy targets a Service's port of this name; the whole Service if the
// name is empty.
func Targets(policy *gatewayv1.BackendTLSPolicy, service, port string) bool {
	return slices.ContainsFunc(policy.Spec.TargetRefs, func(target gatewayv1.LocalPolicyTargetReferenceWithSectionName) bool {
		return targetsService(target) && string(target.Name) == service && string(ptr.Deref(target.SectionName, "")) == port
	})
}

// Policy says how to connect to the backends of a BackendTLSPolicy. It is the value of its unit.
type Policy struct {
	// TLS is nil if the policy is invalid. Its backends get no requests, and Wrong says why.
	TLS   *route.BackendTLS
	Wrong string
	// Missing is the object that an invalid policy needs.
	Missing unit.Key
}

// find returns the policy that takes effect for a Service's port. One that targets the port takes
// precedence over one that targets the whole Service.
func find(r *unit.Reader, e backend.Endpoints) (key unit.Key, found bool) {
	all := Of(r, e.Service.Namespace, e.Service.Name)
	policy := firstFor(all, e.Service.Name, e.ServicePort.Name)
	if policy == nil {
		policy = firstFor(all, e.Service.Name, "")
	}
	if policy == nil {
		return key, false
	}
	return unit.BackendTLSPolicy.Of(policy), true
}

// NameOf returns the policy that takes effect for a Service's port as messages name it; empty for none.
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
	policy := unit.Use(r, role.Of(key.Namespace, key.Name))
	if policy.TLS == nil {
		policy.Wrong = fmt.Sprintf("%s: %s", key, policy.Wrong)
	}
	return &policy
}

// translation is the state of translating one BackendTLSPolicy.
type translation struct {
	reader   *unit.Reader
	policy   *gatewayv1.BackendTLSPolicy
	accepted condition.Diagnosis
	resolved condition.Diagnosis
}

// translate returns the fragment and value of a BackendTLSPolicy: the CA certificates and names that
// backends are verified by.
func (o Options) translate(r *unit.Reader, key unit.Key, policy *gatewayv1.BackendTLSPolicy) (unit.Fragment, Policy) {
	t := &translation{reader: r, policy: policy, accepted: accepted(), resolved: resolvedRefs()}
	t.precedence()
	value := Policy{TLS: t.validation()}
	if value.TLS != nil && !t.depth(value.TLS) {
		value.TLS = nil
	}
	if !o.Relay {
		value.TLS, t.accepted = nil, notAccepted(gatewayv1.PolicyReasonInvalid, route.ErrRelayOff.Error()).At(validationField)
	}
	if value.TLS == nil {
		value.Wrong, value.Missing = t.accepted.Message, t.accepted.Missing
	}
	status := &status{controller: o.Controller, conditions: condition.Observed(policy.Generation, t.accepted, t.resolved)}
	status.Add(key, "", t.accepted, t.resolved)
	return unit.Fragment{Status: status, Verdicts: t.ignored(key)}, value
}

func targetField(i int) field.Path { return field.Spec.Child("targetRefs").Index(i) }

var validationField = field.Spec.Child("validation")

// precedence does not accept the policy if another one takes precedence for one of its targets.
func (t *translation) precedence() {
	var lost []string
	var at field.Path
	for i, target := range t.policy.Spec.TargetRefs {
		if !targetsService(target) {
			continue
		}
		all := Of(t.reader, t.policy.Namespace, string(target.Name))
		port := string(ptr.Deref(target.SectionName, ""))
		first := firstFor(all, string(target.Name), port)
		if first.Name != t.policy.Name {
			if len(lost) == 0 {
				at = targetField(i)
			}
			if port != "" {
				port = "port " + port + " of "
			}
			lost = append(lost, fmt.Sprintf("BackendTLSPolicy %s/%s also targets %sService %s and takes precedence", first.Namespace, first.Name, port, target.Name))
		}
	}
	if len(lost) > 0 {
		t.accepted = notAccepted(gatewayv1.PolicyReasonConflicted, strings.Join(lost, "; ")).At(at)
	}
}

// validation reads spec.validation; nil if it is invalid.
func (t *translation) validation() *route.BackendTLS {
	v := t.policy.Spec.Validation
	tls := &route.BackendTLS{ServerName: strings.ToLower(string(v.Hostname))}
	switch wellKnown := ptr.Deref(v.WellKnownCACertificates, ""); {
	case len(v.CACertificateRefs) > 0:
		if tls.CAs = t.bundles(v.CACertificateRefs); tls.CAs == "" {
			t.accepted = notAccepted(gatewayv1.BackendTLSPolicyReasonNoValidCACertificate, t.resolved.Message).With(t.resolved.Fault)
			return nil
		}
	case wellKnown != gatewayv1.WellKnownCACertificatesSystem:
		t.accepted = notAccepted(gatewayv1.PolicyReasonInvalid,
			fmt.Sprintf("wellKnownCACertificates %q is not supported; only %s is", wellKnown, gatewayv1.WellKnownCACertificatesSystem)).At(validationField.Child("wellKnownCACertificates"))
		return nil
	}
	for i, name := range v.SubjectAltNames {
		switch name.Type {
		case gatewayv1.HostnameSubjectAltNameType:
			tls.Hosts = append(tls.Hosts, strings.ToLower(string(name.Hostname)))
		case gatewayv1.URISubjectAltNameType:
			tls.URIs = append(tls.URIs, string(name.URI))
		default:
			t.accepted = notAccepted(gatewayv1.PolicyReasonInvalid, fmt.Sprintf("type %q of a subjectAltName is not supported; Hostname and URI are", name.Type)).
				At(validationField.Child("subjectAltNames").Index(i).Child("type"))
			return nil
		}
	}
	return tls
}

// depthOption is the Kong Ingress Controller's option for the maximum number of intermediate
// certificates between a backend's certificate and a CA certificate of the policy.
const depthOption gatewayv1.AnnotationKey = "tls-verify-depth"

func optionField(name gatewayv1.AnnotationKey) field.Path {
	return field.Spec.Child("options").Key(string(name))
}

// maxDepth is Kong's maximum for the option.
const maxDepth = 64

// depth reads the option, and reports whether it is valid.
func (t *translation) depth(tls *route.BackendTLS) bool {
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
	tls.Depth = &depth
	return true
}

// bundles joins the certificates of all resolved references. An unresolved one only leaves fewer
// CA certificates to trust.
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
				fmt.Sprintf("%s is of kind %s; only ConfigMaps and Secrets can hold CA certificates", ref.Name, unit.QualifiedKind(ref.Group, ref.Kind)))
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

// ignored returns verdicts on fields without effect, for which the status has no condition.
func (t *translation) ignored(key unit.Key) (verdicts []unit.Verdict) {
	for i, target := range t.policy.Spec.TargetRefs {
		if !targetsService(target) {
			verdicts = append(verdicts, unit.Warning(key, "UnsupportedTarget",
				fmt.Sprintf("target %s is of kind %s; only Services are supported", target.Name, unit.QualifiedKind(target.Group, target.Kind))).At(targetField(i).Child("kind")))
		}
	}
	for _, option := range slices.Sorted(maps.Keys(t.policy.Spec.Options)) {
		if option != depthOption {
			verdicts = append(verdicts, unit.Warning(key, condition.ReasonUnsupportedValue,
				fmt.Sprintf("spec.options: %s is not supported; only %s is", option, depthOption)).At(optionField(option)))
		}
	}
	return verdicts
}
