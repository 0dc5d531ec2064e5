package translate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestHistories tests the contract of the incremental translation: after any history, the graph equals
// a new translation of the present objects, and Update returns every unit and object that changed.
func TestHistories(t *testing.T) {
	for seed := range uint64(60) {
		history(t, seed, 120)
	}
}

func FuzzHistories(f *testing.F) {
	f.Add(uint64(1), uint8(50))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) { history(t, seed, int(steps)) })
}

func history(t *testing.T, seed uint64, steps int) {
	t.Helper()
	w := &world{Rand: mathrand.New(mathrand.NewPCG(seed, seed)), objects: map[unit.Key]unit.Object{}}
	g := translate.New(historyOptions(seed))
	before := stateOf(g)
	for step := range steps {
		var changes []unit.Change
		for range 1 + w.IntN(3) {
			changes = append(changes, w.happen())
		}
		result := g.Update(changes...)
		after := stateOf(g)

		fresh := translate.New(historyOptions(seed))
		fresh.Update(w.everything()...)
		if diff := cmp.Diff(stateOf(fresh), after); diff != "" {
			t.Fatalf("seed %d step %d: incremental differs from full after %v:\n%s", seed, step, keys(changes), diff)
		}
		for id := range differing(before.Units, after.Units) {
			if _, ok := result.Units[id]; !ok {
				t.Fatalf("seed %d step %d: %s changed, but Update did not return it", seed, step, id)
			}
		}
		for key := range differing(before.Verdicts, after.Verdicts) {
			if _, ok := result.Objects[key]; !ok {
				t.Fatalf("seed %d step %d: verdicts on %s changed, but Update did not return it", seed, step, key)
			}
		}
		before = after
	}
}

// historyOptions returns options with a small pool of ports for even seeds.
func historyOptions(seed uint64) translate.Options {
	o := translate.Options{IngressClass: "kong"}
	if seed%3 == 0 { // limits that namespaces and objects sometimes exceed
		o.Limits.Namespace = limit.Cost{Entities: 6 + int(seed%20), Bytes: 3000 + int(seed)*200, Match: 20_000}
		o.Limits.Object = limit.Cost{Entities: 4 + int(seed%5)}
	}
	if seed%4 < 2 {
		o.Gateway.Relay.Address = netip.MustParseAddrPort("127.0.0.1:10264")
	}
	if seed%2 == 0 {
		o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001, 20002}, gatewayv1.HTTPSProtocolType: {20020},
			gatewayv1.TCPProtocolType: {20040}, gatewayv1.TLSProtocolType: {20060, 20061}, gatewayv1.UDPProtocolType: {20080}}
		o.Gateway.Front = types.NamespacedName{Namespace: "default", Name: "o0"}
	} else {
		o.Gateway.Ports = map[gatewayv1.ProtocolType][]int32{
			gatewayv1.TCPProtocolType: {8080}, gatewayv1.TLSProtocolType: {443}, gatewayv1.UDPProtocolType: {8080}}
	}
	return o
}

// state is the visible state of a graph.
type state struct {
	Units    map[unit.ID]string
	Verdicts map[unit.Key]string
	Secrets  []unit.Key
}

func stateOf(g *unit.Graph) state {
	s := state{Units: map[unit.ID]string{}, Verdicts: map[unit.Key]string{}, Secrets: g.Reads(unit.Secret)}
	for view := range g.Units() {
		var b strings.Builder
		for _, e := range view.Entities {
			b.WriteString(string(e.Type) + " ")
			b.Write(e.JSON)
			b.WriteByte('\n')
		}
		s.Units[view.ID] = b.String()
	}
	for key, verdicts := range g.AllVerdicts() {
		s.Verdicts[key] = fmt.Sprint(verdicts)
	}
	for key, status := range g.Statuses() {
		whole, _ := status.Merge(g.Object(key), unit.Moment{})
		text, _ := json.Marshal(whole)
		objects, _ := json.Marshal(g.Owned(key))
		s.Verdicts[key] += string(text) + string(objects)
	}
	return s
}

func differing[K comparable](a, b map[K]string) map[K]struct{} {
	changed := map[K]struct{}{}
	for k := range maps.Keys(a) {
		if a[k] != b[k] {
			changed[k] = struct{}{}
		}
	}
	for k := range maps.Keys(b) {
		if a[k] != b[k] {
			changed[k] = struct{}{}
		}
	}
	return changed
}

func keys(changes []unit.Change) []string {
	var names []string
	for _, c := range changes {
		names = append(names, fmt.Sprintf("%s (exists: %t)", c.Key, c.Object != nil))
	}
	return names
}

// world is a small random cluster with few names, so that objects often conflict.
type world struct {
	*mathrand.Rand
	objects map[unit.Key]unit.Object
}

func (w *world) everything() []unit.Change {
	present := slices.SortedFunc(maps.Keys(w.objects), unit.Key.Compare)
	w.Shuffle(len(present), func(i, j int) { present[i], present[j] = present[j], present[i] })
	var changes []unit.Change
	for _, key := range present {
		changes = append(changes, unit.Change{Key: key, Object: w.objects[key]})
	}
	return changes
}

// happen creates, updates or deletes one object.
func (w *world) happen() unit.Change {
	name := fmt.Sprintf("o%d", w.IntN(4))
	var object unit.Object
	switch w.IntN(10) {
	case 6, 7:
		object = w.plugin(name)
	case 8, 9:
		object = w.consumer(name)
	case 0, 1:
		object = w.ingress(name)
	case 2:
		object = w.service(name)
	case 3:
		object = newSlice(pick(w, name, "o0"), w.IntN(3), w.IntN(3))
	case 4:
		object = w.secret(name)
	default:
		object = &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "kong",
			Annotations: map[string]string{networkingv1.AnnotationIsDefaultIngressClass: pick(w, "true", "false")}}}
	}
	if w.IntN(3) == 0 {
		object = w.gatewayObject(name)
	}
	c := change(object)
	if w.IntN(3) == 0 {
		c.Object = nil
		delete(w.objects, c.Key)
		return c
	}
	w.objects[c.Key] = object
	return c
}

func (w *world) ingress(name string) unit.Object {
	ing := newIngress(name, pick(w, "", "a.example", "*.example", `b"ad`))
	ing.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	path := &ing.Spec.Rules[0].HTTP.Paths[0]
	path.Path = pick(w, "/", "/x", "/~/[")
	kind := pick(w, networkingv1.PathTypePrefix, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific)
	path.PathType = &kind
	path.Backend.Service.Name = fmt.Sprintf("o%d", w.IntN(4))
	switch w.IntN(4) {
	case 0:
		ing.Spec.IngressClassName = nil
	case 1:
		other := "other"
		ing.Spec.IngressClassName = &other
	}
	w.attach(ing)
	if w.IntN(2) == 0 {
		ing.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: path.Backend.Service}
	}
	if w.IntN(2) == 0 {
		ing.Spec.TLS = []networkingv1.IngressTLS{{
			Hosts: []string{pick(w, "a.example", "c.example")}, SecretName: fmt.Sprintf("o%d", w.IntN(4))}}
	}
	return ing
}

func (w *world) service(name string) unit.Object {
	s := newService(name)
	w.attach(s)
	switch w.IntN(3) {
	case 0:
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "elsewhere.example"
	case 1:
		s.Spec.Ports[0].Port = 81
	}
	protocol := pick(w, "http", "https", "grpcs")
	s.Spec.Ports[0].AppProtocol = pick(w, nil, nil, &protocol)
	return s
}

func (w *world) secret(name string) unit.Object {
	s := &corev1.Secret{ObjectMeta: meta(name), Data: map[string][]byte{"tls.crt": certPEM, "tls.key": keyPEM}}
	switch w.IntN(4) {
	case 0:
		s.Data["tls.key"] = []byte("garbage")
	case 1: // several Secrets may have the same certificate
		s.Data["tls.crt"], s.Data["tls.key"] = otherCertPEM, otherKeyPEM
	}
	s.Labels = map[string]string{"konghq.com/credential": pick(w, "key-auth", "acl", "none")}
	s.Data["key"], s.Data["group"] = []byte(pick(w, "k", "{}")), []byte("g")
	return s
}

func pick[T any](w *world, choices ...T) T { return choices[w.IntN(len(choices))] }

var (
	certPEM, keyPEM           = keyPair()
	otherCertPEM, otherKeyPEM = keyPair()
)

func keyPair() (cert, key []byte) {
	pair := testcert.SelfSigned("a.example")
	return []byte(pair.CertPEM()), []byte(pair.KeyPEM())
}
