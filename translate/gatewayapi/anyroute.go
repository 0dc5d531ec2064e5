package gatewayapi

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/hosts"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/name"
	"github.com/kube-sync/kube-sync/translate/plugin"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// routeTranslation is what translating a route of any kind has in common.
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
	unresolved []reference // those that are not resolved, the first first
	unserved   []string    // why parts of the route are not served as they say
}

func (o Options) translationOf(r *unit.Reader, key unit.Key, object unit.Object, spec gatewayv1.CommonRouteSpec, hostnames []gatewayv1.Hostname) routeTranslation {
	return routeTranslation{options: o, reader: r, object: object, key: key, suffix: name.Suffix(r, key), hosts: hosts.Of(object, key, o.Isolated), refs: spec.ParentRefs,
		allowance: kong.NewAllowance(r.Limits()), attachment: attachment{
			reader: r, kind: string(key.Kind), namespace: key.Namespace, hostnames: hostnames,
			age: age{object.GetCreationTimestamp().Time, o.Isolated}}}
}

func (t *routeTranslation) attach() {
	t.attachment.attach(t.refs)
	for _, why := range t.attachment.crossed {
		t.unserve("%s", why)
	}
	if n := t.attachment.omitted; n > 0 {
		t.unserve("the route is served for the first of its hosts, up to %d with %d labels at different listeners, and for %d others it is not", limit.Hosts, limit.HostLabels, n)
	}
	for _, hostname := range t.attachment.hostnames {
		if !isHost(route.Host(strings.ToLower(string(hostname)))) {
			t.unserve("%q is not a host name", hostname)
		}
	}
}

// resolve notes a reference that is not resolved, for the status, and tells the objects whose
// endpoints are left out.
func (t *routeTranslation) resolve(found resolution) {
	for _, v := range found.endpoints.Verdicts {
		if !slices.Contains(t.fragment.Verdicts, v) {
			t.fragment.Verdicts = append(t.fragment.Verdicts, v)
		}
	}
	if found.problem != nil && !slices.Contains(t.unresolved, *found.problem) {
		t.unresolved = append(t.unresolved, *found.problem)
	}
}

// refuse notes plugins that are not to be had, which the route refers to as well.
func (t *routeTranslation) refuse(a plugin.Attachment) {
	for _, v := range a.Verdicts {
		t.resolve(resolution{problem: &reference{reason: gatewayv1.RouteConditionReason(v.Reason), message: v.Message}})
	}
}

// references is the condition of all of them. Its reason is that of the first.
func (t *routeTranslation) references() metav1.Condition {
	if len(t.unresolved) == 0 {
		return routeResolvedRefs()
	}
	var messages []string
	for _, r := range t.unresolved {
		messages = append(messages, r.message)
	}
	return routeUnresolvedRefs(t.unresolved[0].reason, limit.Joined(messages))
}

// unserve notes why a part is not served as it says, once for all hosts.
func (t *routeTranslation) unserve(format string, args ...any) {
	if why := fmt.Sprintf(format, args...); !slices.Contains(t.unserved, why) {
		t.unserved = append(t.unserved, why)
	}
}

// warn has an Event say, once, what the conditions have no place for.
func (t *routeTranslation) warn(reason, format string, args ...any) {
	if v := unit.Warning(t.key, reason, fmt.Sprintf(format, args...)); !slices.Contains(t.fragment.Verdicts, v) {
		t.fragment.Verdicts = append(t.fragment.Verdicts, v)
	}
}

// finish gives the route its status. A route of which Kong can be told nothing is
// attached nowhere.
func (t *routeTranslation) finish(nothing bool) {
	for _, problem := range t.allowance.Problems() {
		t.unserve("%s", problem)
	}
	status := &routeStatus{controller: t.options.Controller}
	t.fragment.Status = status
	for _, p := range t.attachment.parents {
		accepted, resolved := p.accepted, t.references()
		if isTrue(accepted) && nothing {
			accepted = routeNotAccepted(gatewayv1.RouteReasonUnsupportedValue, limit.Joined(t.unserved))
		}
		conditions := []metav1.Condition{accepted, resolved}
		if isTrue(accepted) {
			conditions = append(conditions, routeProgrammed())
			if len(t.unserved) > 0 {
				conditions = append(conditions, routePartiallyInvalid(limit.Joined(t.unserved)))
			}
		}
		status.parents = append(status.parents, gatewayv1.RouteParentStatus{
			ParentRef: p.ref, ControllerName: gatewayv1.GatewayController(t.options.Controller),
			Conditions: observed(t.object.GetGeneration(), conditions...),
		})
	}
	if !nothing {
		t.fragment.Attached = t.attachment.sections
	}
}
