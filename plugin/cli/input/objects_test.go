package input

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

const manifests = `apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  ports: [{port: 80}]
---
# a comment
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: kong
`

func written(t *testing.T, text string) *Objects {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := Files([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestFilesHavePositions(t *testing.T) {
	o := written(t, manifests)
	p, ok := o.Position(unit.Ingress.Key("shop", "web"))
	if !ok || p.Line != 8 || filepath.Base(p.File) != "shop.yaml" {
		t.Errorf("position %+v, %t", p, ok)
	}
	if _, ok := o.Position(unit.Ingress.Key("shop", "other")); ok {
		t.Error("an object that was not read has a position")
	}
	if len(o.Changes()) != 2 {
		t.Errorf("objects %v", o.Changes())
	}
}

func TestFilesReturnsTheOtherFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"good.yaml": manifests, "bad.yaml": "a: [\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := Files([]string{dir})
	if err == nil || len(o.Changes()) != 2 {
		t.Errorf("error %v, objects %v", err, o.Changes())
	}
}

func TestOverlayKeepsWhatTheServerSets(t *testing.T) {
	created := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	now := created.Add(time.Hour)
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u", CreationTimestamp: created}
	}
	owned := meta("owned")
	yes := true
	owned.OwnerReferences = []metav1.OwnerReference{{Kind: "Gateway", Name: "g", Controller: &yes}}
	base := FromSnapshot(&cluster.Snapshot{Changes: []unit.Change{
		{Key: unit.Service.Key("shop", "api"), Object: &corev1.Service{ObjectMeta: meta("api"), Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.7", ClusterIPs: []string{"10.0.0.7"}}}},
		{Key: unit.Ingress.Key("shop", "old"), Object: &networkingv1.Ingress{ObjectMeta: meta("old")}},
		{Key: unit.Service.Key("shop", "owned"), Object: &corev1.Service{ObjectMeta: owned}},
		{Key: unit.Namespace.Key("", "shop"), Object: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}},
	}})
	find := func(changes []unit.Change, key unit.Key) (unit.Object, bool) {
		for _, c := range changes {
			if c.Key == key {
				return c.Object, true
			}
		}
		return nil, false
	}
	files := written(t, manifests)

	changes := base.Overlay(files, false, now)
	if len(changes) != 2 {
		t.Errorf("changes %v", changes)
	}
	service, _ := find(changes, unit.Service.Key("shop", "api"))
	if s, ok := service.(*corev1.Service); !ok || s.UID != "u" || !s.CreationTimestamp.Equal(&created) || s.Spec.ClusterIP != "10.0.0.7" || s.Spec.Ports[0].Port != 80 {
		t.Errorf("the Service became %+v", service)
	}
	if web, _ := find(changes, unit.Ingress.Key("shop", "web")); !web.GetCreationTimestamp().Time.Equal(now) {
		t.Errorf("the new Ingress is created at %v, want %v", web.GetCreationTimestamp(), now)
	}
	if o := files.Get(unit.Service.Key("shop", "api")); o.GetUID() != "" {
		t.Error("the overlay changed the manifests")
	}

	changes = base.Overlay(files, true, now)
	if object, found := find(changes, unit.Ingress.Key("shop", "old")); len(changes) != 3 || !found || object != nil {
		t.Errorf("replacing changes %v, want the deletion of the old Ingress only", changes)
	}
}

func TestGraphTranslates(t *testing.T) {
	graph, err := written(t, manifests).Graph(context.Background(), translate.Options{IngressClass: "kong"})
	if err != nil || graph.Object(unit.Ingress.Key("shop", "web")) == nil {
		t.Errorf("error %v", err)
	}
}
