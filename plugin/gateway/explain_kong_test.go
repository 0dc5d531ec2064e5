package gateway

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/gatewayapi"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// explained is the number of requests: go test ./plugin/gateway -run TestExplainOnKong -timeout 0 -v
// -args -requests 10000.
var explained = flag.Int("requests", 600, "how many requests TestExplainOnKong sends")

// requestsOfAWorld is the number of requests for each configuration.
const requestsOfAWorld = 60

// TestExplainOnKong sends random requests to a real Kong with random configurations. The route, the
// plugins, the upstream and the status are those that package explain predicts, or it names what it
// cannot know. A plugin of the test writes into response headers what Kong did.
func TestExplainOnKong(t *testing.T) {
	w := newExplainedKong(t)
	for world := uint64(0); w.sent < *explained; world++ {
		w.explore(t, world)
		if t.Failed() {
			t.Fatalf("this was world %d", world)
		}
	}
	t.Logf("%d requests: %d without a route, %d answered by the gateway as predicted, %d by a backend, %d as what remained open",
		w.sent, w.unrouted, w.answered, w.proxied, w.open)
	if w.proxied < w.sent/10 || w.answered < w.sent/20 || w.unrouted < w.sent/50 {
		t.Error("the requests are too much alike to show anything")
	}
}

// explainedKong is a Kong that tells what it does, and what was sent to it.
type explainedKong struct {
	ownKong
	pool                     gatewayapi.Pool
	plain, secure            int
	sent, unrouted, answered int
	proxied, open            int
	random                   *rand.Rand
	address                  string
}

func newExplainedKong(t *testing.T) *explainedKong {
	t.Helper()
	kongtest.Need(t)
	w := &explainedKong{pool: gatewayapi.Pool{}, plain: freeport.Port(t), secure: freeport.Port(t), random: rand.New(rand.NewPCG(1, 2)), address: "127.0.0.1"}
	listens := []string{fmt.Sprintf("127.0.0.1:%d", w.plain), fmt.Sprintf("127.0.0.1:%d ssl http2", w.secure)}
	for range 2 {
		plain, secure := freeport.Port(t), freeport.Port(t)
		w.pool[gatewayv1.HTTPProtocolType] = append(w.pool[gatewayv1.HTTPProtocolType], int32(plain))
		w.pool[gatewayv1.HTTPSProtocolType] = append(w.pool[gatewayv1.HTTPSProtocolType], int32(secure))
		listens = append(listens, fmt.Sprintf("127.0.0.1:%d", plain), fmt.Sprintf("127.0.0.1:%d ssl http2", secure))
	}
	k := kongtest.Start(t, kongtest.Options{Settings: []string{"KONG_NGINX_ADMIN_ALLOW=unix:; deny all", "KONG_PROXY_LISTEN=" + strings.Join(listens, ","),
		"KONG_ALLOW_DEBUG_HEADER=on", "KONG_PLUGINS=" + ownPlugins + ",observe", "KONG_LUA_PACKAGE_PATH=" + kongtest.LuaPath(t, "testdata/observe")}})
	w.ownKong = ownKong{k, adminOf(t, k)}
	return w
}

// explore applies a random configuration, without what Kong refuses, and sends requests.
func (w *explainedKong) explore(t *testing.T, world uint64) {
	t.Helper()
	o := translate.Options{IngressClass: "kong"}
	o.Gateway.Pool, o.Gateway.AnyPort, o.Gateway.NamespacePorts = w.pool, true, 2
	o.Gateway.Relay.Address = netip.MustParseAddrPort("127.0.0.1:10264")
	graph, g := translate.New(o), New(w.admin, noRelay{})
	if world%4 == 3 {
		graph.Update(anything.Population()...)
		graph.Update(anything.Objects(someBytes(70_000 + world))...)
	}
	graph.Update(anything.Traffic(someBytes(90_000 + world))...)
	for {
		outcome, err := applyPieces(t, g, graph, nil)
		if err != nil {
			t.Fatalf("%v, with refusals:\n%s", err, refusals(outcome))
		}
		if len(outcome.Refusals) == 0 {
			break
		}
		for _, r := range outcome.Refusals {
			graph.Update(unit.Change{Key: r.Object})
		}
		g = New(w.admin, noRelay{})
	}
	w.awaitEffective(t)
	configuration := explain.New(graph)
	for range requestsOfAWorld {
		r := w.request()
		if complaint := w.compare(t, configuration.Explain(r), r); complaint != "" {
			t.Errorf("%s %s://%s:%d%s?%s %v, SNI %q: %s\npredicted: %s", r.Method, r.Scheme, r.Host, r.Port, r.Path, r.Query, r.Header, r.SNI, complaint,
				asText(configuration.Explain(r)))
			return
		}
	}
}

func asText(a explain.Answer) string { return fmt.Sprintf("%+v\nroute %+v", a, a.Route) }

// request returns a random request, mostly for a host and path that routes name.
func (w *explainedKong) request() explain.Request {
	one := func(choices ...string) string { return choices[w.random.IntN(len(choices))] }
	r := explain.Request{Scheme: one("http", "http", "https"), Method: one("GET", "GET", "POST", "OPTIONS"), Header: http.Header{}, Source: netip.MustParseAddr("127.0.0.1")}
	r.Port = map[string]int{"http": 80, "https": 443}[r.Scheme]
	r.Host = one("a.example", "a.example", "b.example", "x.a.example", "y.example", "y.x.example", "A.Example", "c.example", "d.c.example", "other.test")
	r.Path = one("/", "/a", "/a/", "/a/b", "/ab", "/a%20b", "/A", "/a/7", "/b", "/a/b/c/d", "/a//b", "/a/./b", "/%61", "/c", "/a.b")
	if w.random.IntN(8) == 0 {
		r.Method, r.Path = "POST", one("/a/b", "/a/c", "/x.Y/z")
		r.Header.Set("Content-Type", "application/grpc")
	}
	r.Query = one("", "", "q=1", "q=2", "q", "q=1&q=2", "x-stop=1")
	if r.Scheme == "https" {
		r.SNI = one(strings.ToLower(r.Host), strings.ToLower(r.Host), "a.example", "b.example", "")
	}
	for name, values := range map[string][]string{
		"X-A": {"1", "2", "7", "x"}, "Apikey": {"some"}, "K": {"some"}, "Authorization": {"Basic YTpi", "Bearer x.y.z", "Other"}, "Origin": {"http://o.example"}, "X-Stop": {"1"},
	} {
		if w.random.IntN(4) == 0 {
			r.Header.Set(name, one(values...))
		}
	}
	return r
}

// compare sends a request to the port that is predicted to take it, and returns how the answer differs
// from the prediction; empty if it does not.
func (w *explainedKong) compare(t *testing.T, a explain.Answer, r explain.Request) string {
	t.Helper()
	port := map[string]int{"http": w.plain, "https": w.secure}[r.Scheme]
	if a.Listener != nil && a.Listener.KongPort != 0 {
		port = a.Listener.KongPort
	}
	answer, err := w.send(r, port)
	if err != nil {
		return err.Error()
	}
	w.sent++
	header := answer.Header
	id := header.Get("Kong-Route-Id")
	switch {
	case a.Route == nil && id != "":
		return "Kong chose route " + header.Get("Kong-Route-Name")
	case a.Route == nil:
		w.unrouted++
		if answer.StatusCode != a.Status {
			return fmt.Sprintf("Kong answered %d", answer.StatusCode)
		}
		return ""
	case id != a.Route.ID:
		return fmt.Sprintf("Kong answered %d and chose route %q", answer.StatusCode, header.Get("Kong-Route-Name"))
	}
	if complaint := wantPlugins(a, header); complaint != "" {
		return complaint
	}
	observed := header.Get("Observed-Upstream")
	switch {
	case a.Status != 0 && len(a.Backends) == 1 && a.Backends[0].Relayed && observed != "":
		w.answered++ // by the relay, which is not there
		return wantBackend(a, observed, header.Get("Observed-Endpoint"))
	case a.Status != 0:
		w.answered++
		if answer.StatusCode != a.Status || observed != "" {
			return fmt.Sprintf("Kong answered %d and chose upstream %q", answer.StatusCode, observed)
		}
	case observed != "":
		w.proxied++
		return wantBackend(a, observed, header.Get("Observed-Endpoint"))
	default:
		w.open++
		if !slices.ContainsFunc(a.Statuses, func(s explain.Status) bool { return s.Code == answer.StatusCode }) && !mayAnswer(a, header) {
			return fmt.Sprintf("Kong answered %d", answer.StatusCode)
		}
	}
	return ""
}

func (w *explainedKong) send(r explain.Request, port int) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: r.SNI}}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(w.address, strconv.Itoa(port)))
	}
	host := r.Host
	if r.SNI == "" {
		host = w.address // Go sends the URL's host as the server name, but no address
	}
	request, err := http.NewRequest(r.Method, r.Scheme+"://"+host+"/", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.URL.Opaque, request.URL.RawQuery = r.Path, r.Query // as it is written, without normalization
	request.Host, request.Header = r.Host, r.Header.Clone()
	request.Header.Set("Kong-Debug", "1")
	answer, err := (&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(request)
	if err == nil {
		_ = answer.Body.Close()
	}
	return answer, err
}

// mayAnswer reports whether the effect of the plugin that answered is unknown.
func mayAnswer(a explain.Answer, header http.Header) bool {
	ran := strings.Fields(header.Get("Observed-Access"))
	return len(ran) > 0 && slices.ContainsFunc(a.Plugins, func(p explain.Plugin) bool { return p.Name+":"+p.ID == ran[len(ran)-1] && p.Unknown != "" })
}

// wantPlugins returns how the plugins that ran differ from the prediction. Behind one that answered,
// none runs.
func wantPlugins(a explain.Answer, header http.Header) string {
	var predicted []string
	for _, p := range a.Plugins {
		predicted = append(predicted, p.Name+":"+p.ID)
	}
	ran := slices.DeleteFunc(strings.Fields(header.Get("Observed-Access")), internalPlugin)
	later := slices.DeleteFunc(strings.Fields(header.Get("Observed-Later")), internalPlugin)
	left := predicted
	for _, name := range ran {
		at := slices.Index(left, name)
		if at < 0 {
			return fmt.Sprintf("plugins ran: %v, then %v", ran, later)
		}
		left = left[at+1:]
	}
	for _, name := range later {
		if !slices.Contains(predicted, name) {
			return fmt.Sprintf("the plugin %s ran", name)
		}
	}
	if header.Get("Observed-Upstream") == "" {
		return "" // one answered
	}
	for _, name := range predicted {
		if !slices.Contains(ran, name) && !slices.Contains(later, name) {
			return fmt.Sprintf("the plugin %s did not run, but %v, then %v", name, ran, later)
		}
	}
	return ""
}

func internalPlugin(plugin string) bool {
	name, _, _ := strings.Cut(plugin, ":")
	return slices.Contains([]string{"kube-sync-ports", "kube-sync-tenants", "kube-sync-request", "kube-sync-router", "kube-sync-delta"}, name)
}

// wantBackend returns how the chosen upstream differs from the predicted ones.
func wantBackend(a explain.Answer, upstream, endpoint string) string {
	for _, b := range a.Backends {
		has := slices.ContainsFunc(b.Endpoints, func(e explain.Endpoint) bool { return e.Address == endpoint })
		if b.Relayed && endpoint == "127.0.0.1:10264" || has && (b.Upstream == upstream || b.Upstream == "") {
			return ""
		}
	}
	return fmt.Sprintf("Kong chose %s of upstream %s", endpoint, upstream)
}
