package gateway

import (
	"flag"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// TestAnythingOnKong has a real Kong take what objects of any content come to. What it
// refuses is said of an object that there is, and everything else is taken; of objects that
// nothing is wrong with, all. It does so over whole loads and over deltas.
func TestAnythingOnKong(t *testing.T) {
	k := startKongWithOwn(t)
	for seed := range uint64(30) {
		k.take(t, someBytes(seed))
	}
}

// FuzzAnythingOnKong is the same for a fuzzer, one Kong for all that it thinks of.
func FuzzAnythingOnKong(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(someBytes(1000 + seed))
	}
	// A Kong that has the pipes of a fuzzer's worker keeps go test from ending.
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
type ownKong struct{ admin *Admin }

func startKongWithOwn(t testing.TB, settings ...string) ownKong {
	t.Helper()
	lua, err := filepath.Abs("../../kong-conf/lua")
	if err != nil {
		t.Fatal(err)
	}
	return ownKong{startKong(t, append(settings, "KONG_LUA_PACKAGE_PATH="+lua+"/?.lua;;", "KONG_STREAM_LISTEN="+freeport.Address(t),
		"KONG_PLUGINS=bundled,kube-sync-delta,kube-sync-http,kube-sync-cors,kube-sync-ports,kube-sync-stream,kube-sync-closed,kube-sync-mtls,kube-sync-request,kube-sync-tenants")...)}
}

// take applies objects that come all at once, and then as many again one by one.
func (k ownKong) take(t *testing.T, from []byte) {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool = gatewayapi.Pool{gatewayv1.HTTPProtocolType: {20000, 20001}, gatewayv1.TCPProtocolType: {20010}, gatewayv1.TLSProtocolType: {20020}}
	o.Gateway.Relay.Address = netip.MustParseAddrPort("127.0.0.1:10264")
	graph, g := translate.New(o), New(k.admin, noRelay{})
	innocents := anything.Innocents()
	graph.Update(innocents...)
	graph.Update(anything.Population()...)
	objects := anything.Objects(from)
	half := len(objects) / 2
	graph.Update(objects[:half]...)
	k.apply(t, g, graph, nil, innocents)
	for _, change := range objects[half:] {
		k.apply(t, g, graph, graph.Update(change).Units, innocents)
	}
}

func (k ownKong) apply(t *testing.T, g *Gateway, graph *unit.Graph, changed map[unit.ID]struct{}, innocents []unit.Change) {
	t.Helper()
	outcome, err := applyPieces(t, g, graph, changed)
	if err != nil {
		t.Fatalf("%v, with refusals:\n%s", err, refusals(outcome))
	}
	for _, r := range outcome.Refusals {
		guilty := graph.Object(r.Object) != nil && !slices.ContainsFunc(innocents, func(c unit.Change) bool { return c.Key == r.Object })
		if !guilty || len(r.Messages) == 0 {
			t.Errorf("a refusal that names %s: %s", r.Object, strings.Join(r.Messages, "; "))
		}
		t.Logf("refused %s: %s", r.Object, strings.Join(r.Messages, "; "))
	}
	if hash, err := k.admin.Hash(t.Context()); err != nil || hash != outcome.Hash {
		t.Errorf("Kong holds %s (%v), and not %s", hash, err, outcome.Hash)
	}
	for view := range graph.Units() {
		if g.holds[view.ID] != nil && slices.ContainsFunc(innocents, func(c unit.Change) bool { return c.Key == view.Object }) {
			t.Errorf("%s is held back: %v", view.ID, g.holds[view.ID].messages)
		}
	}
}
