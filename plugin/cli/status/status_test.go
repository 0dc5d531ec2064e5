package status_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/plugin/cli/status"
	"github.com/kube-sync/kube-sync/plugin/inspect"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func printed(t *testing.T, write func(*output.Page)) string {
	t.Helper()
	var out bytes.Buffer
	if err := output.New(&out).Print(nil, write); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheStateOfAGateway(t *testing.T) {
	web := inspect.Object{Kind: "Ingress", Namespace: "shop", Name: "web"}
	s := inspect.Status{
		Time:    now,
		Gateway: inspect.Gateway{Pod: "gw-1", Namespace: "kong", KubeSync: "1.2.3", Kong: "3.9.4", Started: now.Add(-time.Hour), Class: "kong", Source: "cluster", Warnings: []string{"Kong is old"}},
		Configuration: inspect.Configuration{
			Hash: "abc", Applied: now.Add(-time.Minute), LaggingSince: now.Add(-time.Second), LastContact: now.Add(-3 * time.Second),
			Entities: map[string]int{"routes": 3, "services": 2},
		},
		Workers:      []inspect.Worker{{Subsystem: "http", ID: 1, PID: 12, Hash: "old"}},
		Replicas:     []inspect.Replica{{Service: inspect.Object{Kind: "Service", Namespace: "kong", Name: "front"}, Address: "10.0.0.1", Self: true, Ready: true}},
		Refused:      []inspect.Refusal{{Object: web, Messages: []string{"no such\nfield"}, Kept: true, Since: now}},
		RefusedTotal: 1,
		Faults:       []inspect.Faulty{{Object: web, Since: now, Faults: []inspect.Fault{{Field: "spec.rules[0]", Reason: "ServiceNotFound", Message: "Service shop/x does not exist"}}, More: 2}},
		FaultsTotal:  7,
		Certificates: []inspect.Certificate{
			{ServerNames: []string{"a.example"}, Object: inspect.Object{Kind: "Secret", Namespace: "shop", Name: "tls"}, NotAfter: now.Add(50 * time.Hour)},
			{ServerNames: []string{"b.example"}, NotAfter: now.Add(-time.Hour)},
		},
		Changes: []inspect.Change{{
			ID: 9, ObjectsTotal: 5, Written: now.Add(-5 * time.Second), Seen: now.Add(-4 * time.Second), Effective: now.Add(-4*time.Second + 21*time.Millisecond),
			Objects: []inspect.ChangedObject{{Object: web, Deleted: true}, {Object: web}, {Object: web}, {Object: web}},
		}},
		Unknown: []string{"the moon"},
	}
	page := printed(t, func(p *output.Page) { status.OfGateway(p, s) })
	for _, part := range []string{
		"kong/gw-1", "some workers use an older one since 05:06:06.000", "3 routes, 2 services", "last heard of 3s ago", "warning: Kong is old",
		"http 1  12       old            older", "10.0.0.1 (this one)", "Ingress shop/web: the last good version serves", `  no such\nfield`,
		"Objects with faults (the newest 1 of 7)", "ServiceNotFound at spec.rules[0]: Service shop/x does not exist", "and 2 more",
		"2026-03-06 (in 2 days)", "2026-03-04 (expired)", "Ingress shop/web (deleted), Ingress shop/web, Ingress shop/web, and 2 more", "05:06:02", "21ms", "- the moon",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestWhatAClusterKnows(t *testing.T) {
	event := func(name, reason string, ago time.Duration) *corev1.Event {
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name + reason}, InvolvedObject: corev1.ObjectReference{Kind: "Ingress", Namespace: "shop", Name: name},
			Reason: reason, Message: "because", Type: corev1.EventTypeWarning, LastTimestamp: metav1.NewTime(now.Add(-ago)),
		}
	}
	core := fake.NewClientset(
		&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "gw-1", Labels: map[string]string{"app.kubernetes.io/part-of": "kube-sync"}},
			Status: corev1.PodStatus{
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}, ContainerStatuses: []corev1.ContainerStatus{{RestartCount: 3}},
			},
		},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "other"}},
		&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "kube-sync-kong"}, Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("gw-1"), LeaseDurationSeconds: ptr.To[int32](30), RenewTime: ptr.To(metav1.NewMicroTime(now.Add(-10 * time.Second))),
		}},
		&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "edge", Name: "kube-sync-edge"}, Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To("gone"), LeaseDurationSeconds: ptr.To[int32](30), RenewTime: ptr.To(metav1.NewMicroTime(now.Add(-time.Minute))),
		}},
		&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-scheduler"}},
		event("web", "ServiceNotFound", time.Minute), event("web", "AnnotationInvalid", time.Hour), event("api", "HostConflict", time.Second),
	)
	c := status.OfCluster(t.Context(), core, now)
	page := printed(t, c.Page)
	for _, part := range []string{
		"kong/gw-1  ready  3", "writes statuses", "kong/kube-sync-kong  gw-1", "gone (expired)", "Objects with faults (2)", "Ingress shop/api: since 05:06:06.000",
		"  HostConflict: because", "kubectl exec -n kong gw-1 -- kube-sync status",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
	if strings.Contains(page, "other") || strings.Contains(page, "scheduler") {
		t.Errorf("the page has what is not of a gateway:\n%s", page)
	}
	if len(c.Faults) != 2 || c.Faults[0].Object.Name != "api" || len(c.Faults[1].Faults) != 2 || !c.Faults[1].Since.Equal(now.Add(-time.Minute)) {
		t.Errorf("the faults are %+v", c.Faults)
	}
}

// What may not be read is unknown, and the rest is told.
func TestWhatMayNotBeRead(t *testing.T) {
	core := fake.NewClientset()
	core.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: action.GetResource().Resource}, "", errors.New("no"))
	})
	c := status.OfCluster(t.Context(), core, now)
	for _, part := range []string{"which gateway writes statuses: leases", "the pods of gateways: pods", "objects with faults: events"} {
		if page := printed(t, c.Page); !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}
