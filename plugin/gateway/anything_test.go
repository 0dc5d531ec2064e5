package gateway

import (
	"flag"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestAnythingOnKong applies objects with random content to a real Kong. Each refusal names an
// existing object, and everything else is applied, including all valid objects. It uses full loads
// and deltas.
func TestAnythingOnKong(t *testing.T) {
	k := startKongWithOwn(t)
	for seed := range uint64(30) {
		k.take(t, someBytes(seed))
	}
}

// FuzzAnythingOnKong does the same with a fuzzer's input, on one Kong.
func FuzzAnythingOnKong(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(someBytes(1000 + seed))
	}
	// If Kong inherits the pipes of a fuzzer's worker, go test does not end.
	if worker := flag.Lookup("test.fuzzworker"); worker != nil && worker.Value.String() == "true" {
		for pipe := 3; pipe <= 5; pipe++ {
			syscall.CloseOnExec(pipe)
		}
	}
	k := startKongWithOwn(f)
	f.Fuzz(func(t *testing.T, from []byte) { k.take(t, from) })
}

func someBytes(seed uint64) []byte {
	source := rand.New(rand.NewPCG(seed, 7))
	bytes := make([]byte, 1000+seed%5*800)
	for i := range bytes {
		bytes[i] = byte(source.Uint32())
	}
	return bytes
}

// ownKong is a real one with the plugins of this project.
type ownKong struct {
	*kongtest.Kong
	admin *adminapi.Client
}

// ownPlugins are the plugins of a Kong with those of this project.
const ownPlugins = "bundled,kube-sync-delta,kube-sync-http,kube-sync-cors,kube-sync-ports,kube-sync-stream,kube-sync-closed,kube-sync-mtls,kube-sync-request,kube-sync-router,kube-sync-tenants"

func startKongWithOwn(t testing.TB, settings ...string) ownKong {
	t.Helper()
	k := kongtest.Start(t, kongtest.Options{Settings: append(settings, "KONG_NGINX_ADMIN_ALLOW=unix:; deny all", "KONG_STREAM_LISTEN="+freeport.Address(t),
		"KONG_PLUGINS="+ownPlugins)})
	return ownKong{k, adminOf(t, k)}
}

// take applies some objects all at once, and then as many one by one.
func (k ownKong) take(t *testing.T, from []byte) {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
	o.Gateway.Relay.Address = netip.MustParseAddrPort("127.0.0.1:10264")
	graph, g := translate.New(o), New(k.admin, noRelay{})
	bystanders := anything.Bystanders()
	graph.Update(bystanders...)
	graph.Update(anything.Population()...)
	objects := anything.Objects(from)
	half := len(objects) / 2
	graph.Update(objects[:half]...)
	k.apply(t, g, graph, nil, bystanders)
	for _, change := range objects[half:] {
		k.apply(t, g, graph, graph.Update(change).Units, bystanders)
	}
}

func (k ownKong) apply(t *testing.T, g *Gateway, graph *unit.Graph, changed map[unit.ID]struct{}, bystanders []unit.Change) {
	t.Helper()
	outcome, err := applyPieces(t, g, graph, changed)
	if err != nil {
		t.Fatalf("%v, with refusals:\n%s", err, refusals(outcome))
	}
	for _, r := range outcome.Refusals {
		expected := graph.Object(r.Object) != nil && !slices.ContainsFunc(bystanders, func(c unit.Change) bool { return c.Key == r.Object })
		if !expected || len(r.Messages) == 0 {
			t.Errorf("a refusal that names %s: %s", r.Object, strings.Join(r.Messages, "; "))
		}
		t.Logf("refused %s: %s", r.Object, strings.Join(r.Messages, "; "))
	}
	if hash, err := k.admin.Hash(t.Context()); err != nil || hash != outcome.Hash {
		t.Errorf("Kong holds %s (%v), want %s", hash, err, outcome.Hash)
	}
	for view := range graph.Units() {
		if g.holds[view.ID] != nil && slices.ContainsFunc(bystanders, func(c unit.Change) bool { return c.Key == view.Object }) {
			t.Errorf("%s is held back: %v", view.ID, g.holds[view.ID].messages)
		}
	}
}
