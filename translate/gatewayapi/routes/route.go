package routes

import (
	"fmt"
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/backendref"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/hostname"
	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// routeTranslation is the state of translating a route of any kind.
type routeTranslation struct {
	options    Options
	reader     *unit.Reader
	object     unit.Object
	key        unit.Key
	refs       []gatewayv1.ParentReference
	attachment attachment
	fragment   unit.Fragment
	suffix     string // of the names of the route's entities
	hosts      hosts.Claims

	allowance  *kong.Allowance
	unresolved []backendref.Problem // of references, in the order in which they were found
	unserved   []condition.Cause    // why parts of the route are not served as written
}

func (o Options) translationOf(r *unit.Reader, key unit.Key, object unit.Object, spec gatewayv1.CommonRouteSpec, hostnames []gatewayv1.Hostname) routeTranslation {
	return routeTranslation{options: o, reader: r, object: object, key: key, suffix: name.Suffix(r, key), hosts: hosts.Of(object, key, o.Isolated), refs: spec.ParentRefs,
		allowance: kong.NewAllowance(r.Limits()), attachment: attachment{
			reader: r, kind: string(key.Kind), namespace: key.Namespace, hostnames: hostnames,
			age: age{object.GetCreationTimestamp().Time, o.Isolated}}}
}

func (t *routeTranslation) attach() {
	t.attachment.attach(t.refs)
	for _, c := range t.attachment.conflicts {
		t.unserve(c.Fault, "%s", c.Message)
	}
	if n := t.attachment.omitted; n > 0 {
		t.unserve(unit.At(field.Spec.Child("hostnames")), "a route may have %d hosts with %d labels in total at its listeners; the route is not served for %d more", limit.Hosts, limit.HostLabels, n)
	}
	if n := t.attachment.excess; n > 0 {
		t.unserve(unit.At(field.Spec.Child("parentRefs")), "a route may be attached to %d listeners; the route is not attached to %d more", limit.RouteListeners, n)
	}
	for i, host := range t.attachment.hostnames {
		if !hostname.Valid(hostname.Of(&host)) {
			t.unserve(unit.At(field.Spec.Child("hostnames").Index(i)), "%q is not a valid host name", host)
		}
	}
}

// resolve records the problem of an unresolved reference for the status.
func (t *routeTranslation) resolve(found backendref.Resolution) {
	if found.Problem != nil && !slices.ContainsFunc(t.unresolved, found.Problem.Says) {
		t.unresolved = append(t.unresolved, *found.Problem)
	}
}

// refuse records unavailable plugins as unresolved references.
func (t *routeTranslation) refuse(a plugin.Attachment) {
	for _, v := range a.Verdicts {
		t.resolve(backendref.Resolution{Problem: &backendref.Problem{Reason: gatewayv1.RouteConditionReason(v.Reason), Message: v.Message, Fault: v.Fault}})
	}
}

// resolvedRefs returns the condition ResolvedRefs, with the first problem's reason.
func (t *routeTranslation) resolvedRefs() condition.Diagnosis {
	if len(t.unresolved) == 0 {
		return routeResolvedRefs()
	}
	var messages []string
	for _, r := range t.unresolved {
		messages = append(messages, r.Message)
	}
	return routeUnresolvedRefs(t.unresolved[0].Reason, limit.Joined(messages))
}

// unserve records why a part of the route is not served as written, once for all hosts.
func (t *routeTranslation) unserve(f unit.Fault, format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	if !slices.ContainsFunc(t.unserved, func(c condition.Cause) bool { return c.Message == why }) {
		t.unserved = append(t.unserved, condition.Cause{Message: why, Fault: f})
	}
}

// warn adds a warning, once, for which there is no condition.
func (t *routeTranslation) warn(f unit.Fault, reason, format string, args ...any) {
	t.fragment.Verdicts = unit.AppendNew(t.fragment.Verdicts, unit.Warning(t.key, reason, fmt.Sprintf(format, args...)).With(f))
}

// finish makes the route's status. If nothing of the route can be served, no parent accepts it.
func (t *routeTranslation) finish(nothing bool) {
	for _, problem := range t.allowance.Problems() {
		t.unserve(unit.At(problem.Path), "%s", problem.Message)
	}
	status := &routeStatus{controller: t.options.Controller}
	t.fragment.Status = status
	for _, p := range t.attachment.parents {
		accepted := p.accepted
		if condition.IsTrue(accepted) && nothing {
			accepted = routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue, messagesOf(t.unserved))
		}
		conditions := []condition.Diagnosis{accepted, t.resolvedRefs()}
		if condition.IsTrue(accepted) {
			conditions = append(conditions, p.programmed())
			if len(t.unserved) > 0 {
				conditions = append(conditions, routePartiallyInvalid(messagesOf(t.unserved)))
			}
		}
		status.parents = append(status.parents, gatewayv1.RouteParentStatus{
			ParentRef: p.ref, ControllerName: gatewayv1.GatewayController(t.options.Controller),
			Conditions: condition.Observed(t.object.GetGeneration(), conditions...),
		})
		t.diagnose(status, p, nothing)
	}
	if !nothing {
		for _, section := range t.attachment.sections {
			t.reader.Attach(section)
		}
	}
}

// diagnose adds a verdict for each problem with one parent.
func (t *routeTranslation) diagnose(status *routeStatus, p parent, nothing bool) {
	part := fmt.Sprintf("parent %q: ", p.ref.Name)
	switch accepted := condition.IsTrue(p.accepted); {
	case accepted && nothing:
		status.AddCauses(t.key, part, routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue, ""), t.unserved)
	case accepted:
		status.AddCauses(t.key, part, routePartiallyInvalid(""), t.unserved)
	default:
		status.Add(t.key, part, p.accepted)
	}
	for _, r := range t.unresolved[:min(len(t.unresolved), limit.Verdicts)] {
		status.Add(t.key, part, routeUnresolvedRefs(r.Reason, r.Message).With(r.Fault))
	}
}

// messagesOf joins the messages of causes.
func messagesOf(causes []condition.Cause) string {
	messages := make([]string, len(causes))
	for i, c := range causes {
		messages[i] = c.Message
	}
	return limit.Joined(messages)
}
