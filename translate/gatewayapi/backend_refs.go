package gatewayapi

import (
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/backend"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/grant"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// reference is why a reference is not resolved.
type reference struct {
	reason  gatewayv1.RouteConditionReason
	message string
	unit.Fault
}

// says reports whether two tell people the same.
func (r reference) says(other reference) bool {
	return r.reason == other.reason && r.message == other.message
}

// backendRef is a reference of a rule to a backend, and its path.
type backendRef struct {
	gatewayv1.BackendRef
	at field.Path
}

// referring are the references in the list of the path.
func referring(refs []gatewayv1.BackendRef, at field.Path) []backendRef {
	all := make([]backendRef, len(refs))
	for i, ref := range refs {
		all[i] = backendRef{ref, at.Index(i)}
	}
	return all
}

// ruleField is the path of a rule.
func ruleField(i int) field.Path { return spec.Child("rules").Index(i) }

// resolution is what a backendRef stands for.
type resolution struct {
	at        field.Path // of the reference
	endpoints backend.Endpoints
	// protocol is what a rule's requests are sent by.
	protocol string
	// policy is nil if none says how the backend is spoken to.
	policy  *backendTLS
	problem *reference
}

// kindOf is what messages call a kind: Service, or Service.example.org where a group has it.
func kindOf(group gatewayv1.Group, kind gatewayv1.Kind) string {
	return schema.GroupKind{Group: string(group), Kind: string(kind)}.String()
}

// resolve follows a backendRef of a route.
func (o Options) resolve(r *unit.Reader, from unit.Key, ref backendRef) resolution {
	unresolved := func(f unit.Fault, reason gatewayv1.RouteConditionReason, format string, args ...any) resolution {
		return resolution{at: ref.at, problem: &reference{reason, fmt.Sprintf(format, args...), f}}
	}
	if !unit.IsCore(value(ref.Group, "")) || value(ref.Kind, "Service") != "Service" {
		return unresolved(unit.At(ref.at.Child("kind")), gatewayv1.RouteReasonInvalidKind, "backend %s is of the kind %s, and a Service is supported", ref.Name, kindOf(value(ref.Group, ""), value(ref.Kind, "Service")))
	}
	namespace := string(value(ref.Namespace, gatewayv1.Namespace(from.Namespace)))
	if to := unit.Service.Key(namespace, string(ref.Name)); !grant.Allows(r, from, to) {
		return unresolved(unit.Lacking(ref.at.Child("namespace"), grant.Missing(to)), gatewayv1.RouteReasonRefNotPermitted, "no ReferenceGrant in namespace %s lets %s of namespace %s refer to Service %s",
			namespace, some(string(from.Kind)), from.Namespace, ref.Name)
	}
	if ref.Port == nil {
		return unresolved(unit.At(ref.at.Child("port")), gatewayv1.RouteReasonBackendNotFound, "the reference to Service %s/%s names no port", namespace, ref.Name)
	}
	endpoints := o.Backend.Endpoints(r, backend.Ref{Namespace: namespace, Service: string(ref.Name), Port: strconv.Itoa(int(*ref.Port)),
		For: streamRoutes[from.Kind].purpose})
	if endpoints.Reason != "" && len(endpoints.Targets) == 0 {
		at := ref.at.Child("name")
		if endpoints.WrongPort {
			at = ref.at.Child("port")
		}
		found := unresolved(unit.Lacking(at, endpoints.Missing), gatewayv1.RouteReasonBackendNotFound, "%s", endpoints.Message)
		found.endpoints.Verdicts = endpoints.Verdicts
		return found
	}
	return resolution{at: ref.at, endpoints: endpoints}
}

// references is the value of the unit that follows the references of a rule; nil if the route has
// no such rule any more. They are in the order of the rule.
type references struct {
	backends, mirrors []resolution
}

// summary is what a route is told of the references of its rule: all but the endpoints, so that it
// is not translated again when these change.
type summary struct{ unit.PartOf[references] }

func useSummary(r *unit.Reader, role unit.RoleBy[ruleIndex, *references], route unit.Key, rule int) references {
	refs, _ := unit.UsePart(r, role.Of(route.Namespace, route.Name, ruleIndex(rule)), summary{})
	return refs
}

// references follows the references of a rule.
func (o Options) references(d dialect, key unit.Key, i int, r *unit.Reader) (unit.Fragment, *references) {
	rule, at := ruleOf(r.Get(key), i), ruleField(i)
	if rule == nil {
		return unit.Fragment{}, nil
	}
	found := &references{backends: o.backends(r, key, d, referring(backendRefs(rule), at.Child("backendRefs")))}
	for _, m := range mirrorsIn(rule, at) {
		found.mirrors = append(found.mirrors, o.mirrorBackend(r, key, d, m))
	}
	return found.told()
}

// told tells the route, and the objects whose endpoints are left out.
func (refs *references) told() (f unit.Fragment, _ *references) {
	summarize := func(all []resolution) []resolution {
		short := make([]resolution, len(all))
		for i, found := range all {
			f.Verdicts = unit.AppendNew(f.Verdicts, found.endpoints.Verdicts...)
			found.endpoints.Targets, found.endpoints.Verdicts = nil, nil
			short[i] = found
		}
		return short
	}
	unit.SetPart(&f, summary{}, references{summarize(refs.backends), summarize(refs.mirrors)})
	return f, refs
}
