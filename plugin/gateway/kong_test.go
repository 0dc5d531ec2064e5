package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/testcert"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// startKong starts a Kong without a configuration, whose Admin API answers on a Unix
// socket alone, with further settings given as NAME=value.
func startKong(t testing.TB, settings ...string) *adminapi.Client {
	t.Helper()
	return adminOf(t, kongtest.Start(t, kongtest.Options{Settings: append([]string{"KONG_NGINX_ADMIN_ALLOW=unix:; deny all"}, settings...)}))
}

func adminOf(t testing.TB, k *kongtest.Kong) *adminapi.Client {
	t.Helper()
	admin, err := adminapi.NewClient("unix:"+k.Socket(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

// getKong returns what the Admin API on a Unix socket has at a path.
func getKong(t *testing.T, admin *adminapi.Client, path string) []byte {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(admin.Address(), "unix:"))
	}}
	answer, err := (&http.Client{Transport: transport}).Get("http://kong" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v: %.500s", path, answer.StatusCode, err, body)
	}
	return body
}

// service returns an entity that Kong accepts.
func service(name string) *kong.Entity {
	return entity(kong.Services, name, "host", name+".svc")
}

func route(name, service string, fields ...any) *kong.Entity {
	return entity(kong.Routes, name, append([]any{"service", service, "expression", `http.path == "/` + name + `"`, "priority", 1}, fields...)...)
}

func target(name, upstream string) *kong.Entity {
	e := &kong.Entity{
		Ref: kong.Ref{Type: kong.Targets, ID: uid(kong.Targets, upstream+name)}, Name: name,
		Parents: []kong.Ref{{Type: kong.Upstreams, ID: uid(kong.Upstreams, upstream)}},
	}
	e.JSON = fmt.Appendf(nil, `{"id":%q,"target":%q,"upstream":%q}`, e.ID, name, e.Parents[0].ID)
	return e
}

func realShop() *graph {
	units := &graph{}
	units.set(backend("api"), service("api"), entity(kong.Upstreams, "api.svc"), target("127.0.0.1:81", "api.svc"))
	units.set(ingress("web"), route("web", "api", "tags", []string{"k8s-name:web"}))
	return units
}

func TestRealKong(t *testing.T) {
	admin := startKong(t)
	if hash, err := admin.Hash(t.Context()); err != nil || hash != zeros {
		t.Fatalf("hash %s, error %v", hash, err)
	}
	t.Run("empty", func(t *testing.T) {
		if outcome := apply(t, New(admin, noRelay{}), &graph{}); !outcome.Sent || outcome.Hash == zeros {
			t.Errorf("%+v", outcome)
		}
	})
	g, units := New(admin, noRelay{}), realShop()
	t.Run("first", func(t *testing.T) {
		outcome := apply(t, g, units)
		if hash, err := admin.Hash(t.Context()); err != nil || hash != outcome.Hash || !outcome.Sent {
			t.Fatalf("Kong holds %s (%v), not %+v", hash, err, outcome)
		}
		if again := apply(t, g, units); again.Sent {
			t.Error("sent again")
		}
		body := kong.Declarative(newPlan(units, nil, nil, nil).entities())
		if err := admin.Load(t.Context(), body); err != nil {
			t.Errorf("the same once more: %v", err)
		}
	})
	// lost has a broken reference that only Kong can find.
	lost := route("lost", "nowhere")
	lost.Parents = nil
	tests := map[string]struct {
		entities []*kong.Entity
		says     string
		rounds   int
	}{
		"regular expression": {[]*kong.Entity{route("a", "api", "expression", `http.path ~ "("`)}, `route "a": Router Expression failed validation`, 2},
		"protocol":           {[]*kong.Entity{route("a", "api", "protocols", []string{"nope"})}, `route "a": protocols: unknown type: nope`, 2},
		"name taken":         {[]*kong.Entity{route("web", "api", "id", low)}, `uniqueness violation: 'routes' entity with name set to 'web' already declared`, 2},
		"id taken":           {[]*kong.Entity{route("a", "api", "id", uid(kong.Routes, "web"))}, `uniqueness violation: 'routes' entity with primary key`, 2},
		"reference":          {[]*kong.Entity{lost}, `route "lost": invalid reference 'service: `, 2},
		"plugin":             {[]*kong.Entity{route("a", "api"), entity(kong.Plugins, "no-such-plugin", "route", "a")}, `plugin "no-such-plugin": name: plugin 'no-such-plugin' not enabled`, 2},
		"certificate":        {[]*kong.Entity{entity(kong.Certificates, "c", "cert", "x", "key", "y")}, `certificate`, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// The unit that exists already does not yield, whichever Kong names.
			units.set(ingress("bad"), tt.entities...)
			units.set(ingress("good"), route("good", "api", "tags", []string{name}))
			outcome := apply(t, g, units)
			if got := refusals(outcome); len(outcome.Refusals) != 1 || !strings.Contains(got, tt.says) || outcome.Refusals[0].Unit != ingress("bad") {
				t.Errorf("refusals:\n%s\nwant: %s", got, tt.says)
			}
			if outcome.Rounds != tt.rounds || outcome.Entities[kong.Routes] != 2 {
				t.Errorf("%+v", outcome)
			}
			delete(units.views, ingress("bad"))
			if outcome := apply(t, g, units); len(outcome.Refusals) != 0 {
				t.Errorf("afterwards:\n%s", refusals(outcome))
			}
		})
	}
	t.Run("duplicated SNI", func(t *testing.T) {
		for i, name := range []string{"tls1", "tls2"} {
			pair := testcert.SelfSigned("shop.test")
			units.set(ingress(name), entity(kong.Certificates, name, "cert", pair.CertPEM(), "key", pair.KeyPEM()),
				entity(kong.SNIs, "shop.test", "certificate", name, "id", []string{low, high}[i]))
		}
		outcome := apply(t, g, units)
		if !strings.Contains(refusals(outcome), "uniqueness violation: 'snis' entity with name set to 'shop.test'") || outcome.Entities[kong.SNIs] != 1 {
			t.Errorf("%s\n%+v", refusals(outcome), outcome.Entities)
		}
		delete(units.views, ingress("tls1"))
		if outcome := apply(t, g, units); len(outcome.Refusals) != 0 || outcome.Entities[kong.SNIs] != 1 {
			t.Errorf("%s\n%+v", refusals(outcome), outcome.Entities)
		}
		delete(units.views, ingress("tls2"))
	})
	t.Run("instance name taken", func(t *testing.T) { testRealInstanceName(t, g, units) })
	t.Run("last good", func(t *testing.T) {
		units.set(ingress("web"), route("web", "api", "expression", "nonsense"))
		outcome := apply(t, g, units)
		if len(outcome.Refusals) != 1 || !outcome.Refusals[0].Kept || outcome.Entities[kong.Routes] != 2 {
			t.Errorf("%+v", outcome)
		}
		units.set(ingress("web"), route("web", "api"))
		apply(t, g, units)
	})
	t.Run("internal error", func(t *testing.T) { testRealCrash(t, admin, g, units) })
}

// testRealInstanceName applies two plugins with the same unique name. The loser's route denies its
// requests until the name is free, so that no other route takes them.
func testRealInstanceName(t *testing.T, g *Gateway, units *graph) {
	named := func(name string) []*kong.Entity {
		plugin := entity(kong.Plugins, "key-auth", "id", uid(kong.Plugins, name), "instance_name", "same", "route", name)
		plugin.Instead = []*kong.Entity{entity(kong.Plugins, "ip-restriction", "id", uid(kong.Plugins, "instead of "+name), "route", name,
			"config", map[string]any{"deny": []string{"0.0.0.0/0"}, "status": 503})}
		return []*kong.Entity{route(name, "api"), plugin}
	}
	units.set(ingress("has"), named("has")...)
	apply(t, g, units)
	units.set(ingress("first"), named("first")...) // it is sorted before the other, and is newer
	outcome := apply(t, g, units)
	if len(outcome.Refusals) != 1 || outcome.Refusals[0].Object.Name != "first" || !strings.Contains(refusals(outcome), "instance_name set to 'same'") {
		t.Fatalf("refusals:\n%s", refusals(outcome))
	}
	if outcome.Entities[kong.Routes] != 4 || outcome.Entities[kong.Plugins] != 2 {
		t.Errorf("want four routes, and two plugins of which one denies requests; there are %v", outcome.Entities)
	}
	units.set(ingress("has"), route("has", "api"))
	outcome = apply(t, g, units)
	if len(outcome.Refusals) != 0 || outcome.Entities[kong.Plugins] != 1 {
		t.Errorf("when the name is free there are %v, and refusals:\n%s", outcome.Entities, refusals(outcome))
	}
	delete(units.views, ingress("has"))
	delete(units.views, ingress("first"))
	apply(t, g, units)
}

// testRealCrash applies two entities that make Kong's validation fail.
func testRealCrash(t *testing.T, admin *adminapi.Client, g *Gateway, units *graph) {
	units.set(backend("silly"), service("silly"), entity(kong.Upstreams, "silly.svc"))
	units.set(ingress("crash"), route("crash", "api", "expression", 5, "protocols", 5))
	units.set(ingress("fine"), route("fine", "silly"))
	outcome, err := g.Apply(t.Context(), units, nil)
	if err != nil || len(outcome.Refusals) != 1 || outcome.Refusals[0].Unit != ingress("crash") {
		t.Fatalf("error %v, refusals:\n%s", err, refusals(outcome))
	}
	if outcome.Entities[kong.Routes] != 3 {
		t.Errorf("%+v", outcome)
	}
	if hash, err := admin.Hash(t.Context()); err != nil || hash != outcome.Hash {
		t.Errorf("hash %s, error %v", hash, err)
	}
}

// Kong reports its release with and without our plugin, and with it that it examines requests.
func TestRealKongSoftware(t *testing.T) {
	with, err := startKong(t, "KONG_PLUGINS=bundled,kube-sync-request").Software(t.Context())
	if err != nil || with.Unexamined != "" {
		t.Errorf("%+v, error %v", with, err)
	}
	without, err := startKong(t).Software(t.Context())
	if err != nil || without.Unexamined == "" || without.Version == "" || without.Version != with.Version {
		t.Errorf("%+v is not of the version %s, error %v", without, with.Version, err)
	}
}

func TestRealKongLimits(t *testing.T) {
	admin := startKong(t, "KONG_NGINX_ADMIN_CLIENT_MAX_BODY_SIZE=200k", "KONG_NGINX_ADMIN_CLIENT_BODY_BUFFER_SIZE=50k", "KONG_LMDB_MAP_SIZE=1m")
	load := func(bytes int) Outcome {
		units := &graph{}
		for i := 0; i < bytes; i += 100 {
			units.set(unit.ID{Role: "backend", Name: fmt.Sprint(i)}, service(fmt.Sprintf("s%06d", i)))
		}
		return apply(t, New(admin, noRelay{}), units)
	}
	for bytes, says := range map[int]string{20_000: "lmdb_map_size", 80_000: "buffer_size", 400_000: "max_body_size"} {
		outcome := load(bytes)
		said := refusals(outcome)
		if !strings.Contains(said, says) && len(outcome.Refusals) > 0 || bytes > 50_000 && len(outcome.Refusals) == 0 || outcome.Entities[kong.Services] == 0 {
			t.Errorf("%d bytes: %d services, refused: %.300s", bytes, outcome.Entities[kong.Services], said)
		}
	}
}

func TestRealKongDeniesTCP(t *testing.T) {
	address := freeport.Address(t)
	startKong(t, "KONG_ADMIN_LISTEN="+address)
	admin, err := adminapi.NewClient("http://"+address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprint(http.StatusForbidden)) {
		t.Errorf("error %v", err)
	}
}
