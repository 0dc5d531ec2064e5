package tenants

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/manifest"
)

// scene is a Kong that manifests configure.
type scene struct {
	*kongtest.Kong
	t       *testing.T
	backend string // host:port of a server that answers with the request
	graph   *unit.Graph
	gateway *gateway.Gateway
	client  *http.Client
}

// plugins are the plugins of the image.
const plugins = "bundled,kube-sync-delta,kube-sync-http,kube-sync-cors,kube-sync-ports,kube-sync-stream,kube-sync-closed,kube-sync-mtls,kube-sync-request,kube-sync-router,kube-sync-tenants"

// newScene starts a Kong with further settings, given as NAME=value.
func newScene(t *testing.T, o translate.Options, settings ...string) *scene {
	t.Helper()
	k := kongtest.Start(t, kongtest.Options{Settings: append([]string{
		"KONG_NGINX_WORKER_PROCESSES=2", "KONG_UNTRUSTED_LUA=sandbox", "KONG_PLUGINS=" + plugins,
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true", // where the backend is
	}, settings...)})
	t.Cleanup(func() {
		if strings.Contains(k.ReadLog(), "tenants are not separated") {
			t.Error("tenants are not separated in this Kong")
		}
	})
	admin, err := adminapi.NewClient("unix:"+k.Socket(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	echo := httptest.NewServer(http.HandlerFunc(tell))
	t.Cleanup(echo.Close)
	o.IngressClass = "kong"
	o.Backend.Addresses.AllowOwnHost = o.Backend.Addresses.Allowed == nil
	return &scene{
		Kong: k, t: t, backend: echo.Listener.Addr().String(),
		graph: translate.New(o), gateway: gateway.New(admin, noRelay{}),
		client: &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

type noRelay struct{}

func (noRelay) Add([]*kong.Entity)    {}
func (noRelay) Remove([]*kong.Entity) {}
func (noRelay) Keep([]*kong.Entity)   {}

// told is the request that the backend received.
type told struct {
	Path   string
	Header http.Header
}

func tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Kong-Limit", "asked=1") // for response-ratelimiting, which keeps it
	_ = json.NewEncoder(w).Encode(told{r.URL.RequestURI(), r.Header})
}

// apply adds or changes objects and waits until all workers use the configuration. It returns Kong's
// refusals.
func (s *scene) apply(manifests string) []gateway.Refusal {
	s.t.Helper()
	list, err := manifest.Read("input.yaml", strings.NewReader(manifests), kinds.All())
	if err != nil {
		s.t.Fatal(err)
	}
	changed := map[unit.ID]struct{}{}
	for _, m := range list.Objects {
		for id := range s.graph.Update(unit.Change{Key: m.Key, Object: m.Object}).Units {
			changed[id] = struct{}{}
		}
	}
	outcome, err := s.gateway.Apply(s.t.Context(), s.graph, changed)
	for err == nil && len(outcome.Left) > 0 {
		outcome, err = s.gateway.Apply(s.t.Context(), s.graph, outcome.Left)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.Eventually("all workers use the configuration", func() bool {
		if outcome.Effective {
			return true
		}
		state, err := s.gateway.State(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		return state.Effective
	})
	return outcome.Refusals
}

// verdicts returns the verdicts on an object, one a line.
func (s *scene) verdicts(key unit.Key) string {
	var lines []string
	for _, v := range s.graph.Verdicts(key) {
		lines = append(lines, v.Reason+": "+v.Message)
	}
	return strings.Join(lines, "\n")
}

// request is a request for a host of the gateway.
type request struct {
	host, path string
	header     map[string]string
}

// answer is the status, the headers, and the request that the backend received, if it did.
type answer struct {
	status int
	header http.Header
	told   told
	body   string
}

func (s *scene) ask(r request) (answer, error) {
	asked, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.Proxy+"/"+strings.TrimPrefix(r.path, "/"), nil)
	if err != nil {
		return answer{}, err
	}
	asked.Host = r.host
	for name, value := range r.header {
		asked.Header.Set(name, value)
	}
	response, err := s.client.Do(asked)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.told)
	return a, err
}

// want sends the request often enough to reach both workers, and fails if an answer has another status.
func (s *scene) want(r request, status int) answer {
	s.t.Helper()
	var last answer
	for range 8 {
		a, err := s.ask(r)
		if err != nil || a.status != status {
			s.t.Fatalf("%+v: %d %.300s, %v; want %d", r, a.status, a.body, err, status)
		}
		last = a
	}
	return last
}

// await waits for answers with a status, because a Kong without the companion does not report when its
// workers use a configuration.
func (s *scene) await(r request, status int) {
	s.t.Helper()
	eventually.Nil(s.t, 30*time.Second, func() error {
		for range 8 {
			if a, err := s.ask(r); err != nil || a.status != status {
				return fmt.Errorf("%+v: %d %.300s, %v; want %d", r, a.status, a.body, err, status)
			}
		}
		return nil
	})
}

// web returns an Ingress in a namespace for a host, with further annotations, and its Service and endpoint.
func (s *scene) web(namespace, name, host string, annotations ...string) string {
	at, port, _ := net.SplitHostPort(s.backend)
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[2]s, namespace: %[1]s, annotations: {%[4]s}}
spec:
  ingressClassName: kong
  rules: [{host: %[3]s, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %[2]s, port: {number: 80}}}}]}}]
---
apiVersion: v1
kind: Service
metadata: {name: %[2]s, namespace: %[1]s}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[2]s-1, namespace: %[1]s, labels: {kubernetes.io/service-name: %[2]s}}
addressType: IPv4
ports: [{name: http, port: %[6]s}]
endpoints: [{addresses: ['%[5]s'], conditions: {ready: true}}]
---
`, namespace, name, host, strings.Join(annotations, ", "), at, port)
}

func plugin(namespace, name, kind, config string) string {
	return fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: %s, namespace: %s}
plugin: %s
config: %s
---
`, name, namespace, kind, config)
}
