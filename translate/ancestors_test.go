package translate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/ancestor"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// If very many Services share a policy, its status is written only for those that fit in it.
func TestStatusOfAPolicyOfManyServices(t *testing.T) {
	g := translate.New(translate.Options{IngressClass: "kong"})
	policy := change(&configurationv1beta1.KongUpstreamPolicy{ObjectMeta: meta("shared")})
	g.Update(policy)
	const services = 300
	reports := 0
	for i := range services {
		name := fmt.Sprintf("app-%03d", i)
		ingress, service := newIngress(name, ""), newService(name)
		ingress.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service}
		ingress.Spec.Rules = nil
		service.Annotations = map[string]string{"konghq.com/upstream-policy": "shared"}
		for _, c := range []unit.Change{change(service), change(newSlice(name, i, 1)), change(ingress)} {
			if _, reported := g.Update(c).Objects[policy.Key]; reported {
				reports++
			}
		}
	}
	if reports > ancestor.Most {
		t.Errorf("the policy's status changed %d times for %d Services, want at most %d", reports, services, ancestor.Most)
	}
	wantAncestors(t, g, policy.Key, 0)
	g.Update(unit.Change{Key: unit.Ingress.Key("default", "app-000")})
	wantAncestors(t, g, policy.Key, 1)
}

// wantAncestors fails unless the status has the Services with the numbers from a first one on.
func wantAncestors(t *testing.T, g *unit.Graph, policy unit.Key, from int) {
	t.Helper()
	whole, _ := g.Status(policy).Merge(g.Object(policy), unit.Moment{})
	text, _ := json.Marshal(whole)
	for i := range ancestor.Most {
		if name := fmt.Sprintf(`"name":"app-%03d"`, from+i); !strings.Contains(string(text), name) {
			t.Errorf("the status does not have %s: %s", name, text)
		}
	}
	if got := strings.Count(string(text), "ancestorRef"); got != ancestor.Most {
		t.Errorf("the status has %d ancestors, want %d", got, ancestor.Most)
	}
}
