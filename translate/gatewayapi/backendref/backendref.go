package backendref

import (
	"fmt"
	"strconv"

	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendtlspolicy"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Problem is the reason why a reference is not resolved.
type Problem struct {
	Reason  gatewayv1.RouteConditionReason
	Message string
	unit.Fault
}

// Says reports whether two have the same reason and message.
func (p Problem) Says(other Problem) bool {
	return p.Reason == other.Reason && p.Message == other.Message
}

// backendRef is a rule's reference to a backend, with its path.
type backendRef struct {
	gatewayv1.BackendRef
	at field.Path
}

// withPaths returns the references in the list of the path.
func withPaths(refs []gatewayv1.BackendRef, at field.Path) []backendRef {
	all := make([]backendRef, len(refs))
	for i, ref := range refs {
		all[i] = backendRef{ref, at.Index(i)}
	}
	return all
}

// Resolution is a resolved backendRef of a rule or mirror, or the problem with it.
type Resolution struct {
	At        field.Path // of the reference
	Endpoints backend.Endpoints
	// protocol is Kong's name of the protocol that the backend uses.
	protocol string
	// Policy is the BackendTLSPolicy that takes effect; nil for none.
	Policy  *backendtlspolicy.Policy
	Problem *Problem
}

// resolve finds the endpoints that a route's backendRef refers to.
func (o Options) resolve(r *unit.Reader, from unit.Key, ref backendRef) Resolution {
	unresolved := func(f unit.Fault, reason gatewayv1.RouteConditionReason, format string, args ...any) Resolution {
		return Resolution{At: ref.at, Problem: &Problem{reason, fmt.Sprintf(format, args...), f}}
	}
	if !unit.IsCore(ptr.Deref(ref.Group, "")) || ptr.Deref(ref.Kind, "Service") != "Service" {
		return unresolved(unit.At(ref.at.Child("kind")), gatewayv1.RouteReasonInvalidKind, "backend %s is of kind %s; only Services are supported", ref.Name, unit.QualifiedKind(ptr.Deref(ref.Group, ""), ptr.Deref(ref.Kind, "Service")))
	}
	namespace := string(ptr.Deref(ref.Namespace, gatewayv1.Namespace(from.Namespace)))
	if to := unit.Service.Key(namespace, string(ref.Name)); !grant.Allows(r, from, to) {
		return unresolved(unit.Lacking(ref.at.Child("namespace"), grant.Missing(to)), gatewayv1.RouteReasonRefNotPermitted, "no ReferenceGrant in namespace %s allows %s of namespace %s to refer to Service %s",
			namespace, from.Kind.WithArticle(), from.Namespace, ref.Name)
	}
	if ref.Port == nil {
		return unresolved(unit.At(ref.at.Child("port")), gatewayv1.RouteReasonBackendNotFound, "the reference to Service %s/%s needs a port", namespace, ref.Name)
	}
	endpoints := o.Backend.Endpoints(r, backend.Ref{Namespace: namespace, Service: string(ref.Name), Port: strconv.Itoa(int(*ref.Port)),
		Purpose: StreamRoutes[from.Kind].Purpose})
	if endpoints.Reason != "" && len(endpoints.Targets) == 0 {
		at := ref.at.Child("name")
		if endpoints.WrongPort {
			at = ref.at.Child("port")
		}
		found := unresolved(unit.Lacking(at, endpoints.Missing), gatewayv1.RouteReasonBackendNotFound, "%s", endpoints.Message)
		found.Endpoints.Verdicts = endpoints.Verdicts
		return found
	}
	return Resolution{At: ref.at, Endpoints: endpoints}
}

// References holds a rule's resolved references, in the order of the rule. It is the value of a
// unit; nil if the route no longer has the rule.
type References struct {
	Backends, Mirrors []Resolution
}

// summary is the part of References without endpoints. Routes read it, so that they are not
// translated again when endpoints change.
type summary struct{ unit.PartOf[References] }

// References returns the resolved references of a route's rule, without their endpoints.
func (d RequestRoute) References(r *unit.Reader, route unit.Key, rule int) References {
	return summaryOf(r, d.references, route, rule)
}

// References returns the resolved references of a route's rule, without their endpoints.
func (d StreamRoute) References(r *unit.Reader, route unit.Key, rule int) References {
	return summaryOf(r, d.references, route, rule)
}

func summaryOf(r *unit.Reader, role unit.RoleBy[ruleIndex, *References], route unit.Key, rule int) References {
	refs, _ := unit.UsePart(r, role.Of(route.Namespace, route.Name, ruleIndex(rule)), summary{})
	return refs
}

// references resolves the references of a rule.
func (o Options) references(d RequestRoute, key unit.Key, i int, r *unit.Reader) (unit.Fragment, *References) {
	rule, at := ruleOf(r.Get(key), i), RuleField(i)
	if rule == nil {
		return unit.Fragment{}, nil
	}
	found := &References{Backends: o.backends(r, key, d, withPaths(backendRefs(rule), at.Child("backendRefs")))}
	for _, m := range mirrorsIn(rule, at) {
		found.Mirrors = append(found.Mirrors, o.mirrorBackend(r, key, d, m))
	}
	return found.fragment()
}

// fragment returns the summary for the route, and the verdicts on objects whose endpoints are left out.
func (refs *References) fragment() (f unit.Fragment, _ *References) {
	summarize := func(all []Resolution) []Resolution {
		short := make([]Resolution, len(all))
		for i, found := range all {
			f.Verdicts = unit.AppendNew(f.Verdicts, found.Endpoints.Verdicts...)
			found.Endpoints.Targets, found.Endpoints.Verdicts = nil, nil
			short[i] = found
		}
		return short
	}
	unit.SetPart(&f, summary{}, References{summarize(refs.Backends), summarize(refs.Mirrors)})
	return f, refs
}
