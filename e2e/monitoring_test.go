package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/helm"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// TestMonitoring runs a gateway with traffic, changes and faults, and looks at it as an operator does:
// with every panel of the dashboards, exemplars, and traces.
func TestMonitoring(t *testing.T) {
	cp := cluster(t)
	gatewayKinds(t, cp)
	kongKinds(t, cp)
	status, tcp := freeport.Address(t), freeport.Address(t)
	spans := startCollector(t)
	gw := pod.Start(t, pod.Options{Credentials: credentials(t, cp), Name: "gateway-0",
		Settings: map[string]string{"TRACING_ENDPOINT": spans.URL, "LOG_LEVEL": "debug", "PUBLISH_STATUS_ADDRESS": "192.0.2.9", "ALLOWED_ADDRESSES": "127.0.0.1"},
		Kong:     map[string]string{"STATUS_LISTEN": status, "STREAM_LISTEN": tcp, "TRACING_INSTRUMENTATIONS": "request", "TRACING_SAMPLING_RATE": "1"},
	})
	gw.NeedKong()
	prometheus := startPrometheus(t, gw.Metrics, status)
	ns := cp.Namespace(t)
	host := ns + ".example"
	monitored(t, cp, ns, host, tcp, spans.URL)
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	wantStatus(t, gw.HTTP, "relay."+host, "/", http.StatusOK)
	wantStatus(t, gw.HTTP, "auth."+host, "/", http.StatusUnauthorized)
	pods := ready(t, cp, ns, 1)
	eventually.Nil(t, time.Minute, func() error { return echoes("tcp", tcp, pods) })
	wantEvent(t, cp, ns, "refused", "KongConfigurationApplyFailed")
	stop := keepBusy(t, cp, gw, ns, host, tcp, pods)
	defer stop()
	t.Run("Dashboards", func(t *testing.T) { testDashboards(t, prometheus) })
	t.Run("Exemplars", func(t *testing.T) {
		eventually.Nil(t, time.Minute, func() error {
			changes, err := prometheus.exemplars("ingress_controller_change_to_effective_seconds_bucket", "change")
			if err == nil && (len(changes) == 0 || changes[0] == "") {
				err = fmt.Errorf("the exemplars have the changes %q", changes)
			}
			return err
		})
	})
	t.Run("Traces", func(t *testing.T) { testTraces(t, gw, spans, ns) })
	t.Run("TracesOfRequests", func(t *testing.T) {
		eventually.Nil(t, time.Minute, func() error { return spans.requestTo(host) })
	})
}

// prometheusPlugin returns the plugin that the chart installs.
func prometheusPlugin(t *testing.T) string {
	t.Helper()
	rendered, err := helm.Render(chartDir, helm.Release{Name: "kong", Namespace: "kong", APIVersions: served,
		Values: "settings: {ingressClass: kong}\nmonitoring: {plugin: {enabled: true}}\n"})
	if err != nil {
		t.Fatal(err)
	}
	return only(strings.Join(rendered.Documents, "\n---\n"), "KongClusterPlugin")
}

// tracingPlugin is that of the manual.
const tracingPlugin = `
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: tracing, labels: {global: "true"}, annotations: {kubernetes.io/ingress.class: kong}}
plugin: opentelemetry
config:
  traces_endpoint: %s/v1/traces
  resource_attributes: {service.name: kong}
  propagation: {default_format: w3c, extract: [w3c], inject: [w3c]}
`

// monitored makes apps of all sorts, and each fault that a panel shows.
func monitored(t *testing.T, cp *lab.ControlPlane, ns, host, tcp, collector string) {
	t.Helper()
	plugin := prometheusPlugin(t) + "---" + fmt.Sprintf(tracingPlugin, collector)
	cp.MustApply(t, "", plugin)
	t.Cleanup(func() { _ = cp.Delete(context.WithoutCancel(t.Context()), "", plugin) }) // it is for all routes
	cp.MustApply(t, ns, plainGateway+streaming(app("web", host, 1))+"---"+keyPair("tls."+host).secret("tls")+
		"---"+ingress("tls", "tls."+host, "/", "web")+"  tls: [{hosts: [tls."+host+"], secretName: tls}]\n"+
		"---"+ingress("missing", "missing."+host, "/", "nowhere")+
		"---"+withPlugins("auth", "auth."+host, "web", "auth")+kongPlugin("auth", "key-auth", "{}")+
		"---"+withPlugins("refused", "refused."+host, "web", "wrong")+kongPlugin("wrong", "key-auth", "{no_such_field: 1}")+
		"---"+httpRoute("relay", `
  hostnames: [relay.`+host+`]
  rules:
  - filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]
    backendRefs: [{name: web, port: 80}]
`)+fmt.Sprintf(`
apiVersion: configuration.konghq.com/v1beta1
kind: TCPIngress
metadata: {name: lines, annotations: {kubernetes.io/ingress.class: kong}}
spec:
  rules: [{port: %s, backend: {serviceName: web, servicePort: 9000}}]
---`, port(tcp))+unhealthy(host))
}

// unhealthy has a backend that refuses connections, and health checks that notice it.
func unhealthy(host string) string {
	return ingress("down", "down."+host, "/", "down") + fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata: {name: down, annotations: {konghq.com/upstream-policy: checked}}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: down, labels: {kubernetes.io/service-name: down}}
addressType: IPv4
ports: [{port: 9}]
endpoints: [{addresses: [%s]}]
`, unusedAddress) + upstreamPolicy("checked", "healthchecks: {passive: {type: http, unhealthy: {tcpFailures: 1}}}")
}

// unusedAddress is an address in the network of the pods that no pod has.
const unusedAddress = "10.244.255.250"

// keepBusy sends requests and changes objects until the returned function is called.
func keepBusy(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod, ns, host, tcp string, pods []string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() {
		for ctx.Err() == nil {
			for _, h := range []string{host, "relay." + host, "auth." + host, "down." + host, "refused." + host} {
				if response, _, err := (request{host: h}).send(gw.HTTP); err == nil {
					_ = response.Body.Close()
				}
			}
			_ = echoes("tcp", tcp, pods)
			time.Sleep(100 * time.Millisecond)
		}
	})
	busy.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			_, _ = cp.Apply(ctx, ns, ingress("moving", "moving."+host, fmt.Sprintf("/%d", i%5), "web")+"---"+
				withPlugins("refused", "refused."+host, "web", "wrong")+kongPlugin("wrong", "key-auth", fmt.Sprintf("{no_such_field: %d}", i)))
			time.Sleep(2 * time.Second)
		}
	})
	return func() {
		cancel()
		busy.Wait()
	}
}

// testDashboards runs the queries of all panels.
func testDashboards(t *testing.T, p prometheus) {
	files, err := filepath.Glob("../kong-conf/chart/files/dashboards/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	values := strings.NewReplacer("$namespace", "kong", "$job", "kong", "$pod", ".*", "$service", ".*", "$route", ".*", "$__rate_interval", "1m")
	for _, file := range files {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatal(err)
		}
		for _, panel := range board.Panels {
			for _, target := range panel.Targets {
				t.Run(filepath.Base(file)+"/"+panel.Title, func(t *testing.T) {
					eventually.Nil(t, 8*time.Second, func() error {
						found, err := p.query(values.Replace(target.Expr))
						if err == nil && len(found) == 0 {
							err = errors.New("the panel is empty: " + target.Expr)
						}
						return err
					})
				})
			}
		}
	}
}

// collector receives spans, as an OpenTelemetry collector does.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracev1.Span
}

func startCollector(t *testing.T) *collector {
	c := &collector{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got collectorv1.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &got)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			http.Error(w, fmt.Sprint(r.URL.Path, err), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range got.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	c.Listener.Close()
	c.Listener = listener
	c.Start()
	t.Cleanup(c.Close)
	return c
}

// requestTo returns an error if no span of Kong is about a request to a host.
func (c *collector) requestTo(host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		if span.GetName() == "kong" && strings.Contains(fmt.Sprint(span.GetAttributes()), host) {
			return nil
		}
	}
	return fmt.Errorf("Kong sent no span of a request to %s", host)
}

// testTraces looks for a change of one Ingress whose trace has all spans, in the order of time, and
// whose id the log has.
func testTraces(t *testing.T, gw *pod.Pod, c *collector, ns string) {
	object := "Ingress " + ns + "/moving"
	eventually.Nil(t, time.Minute, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		last := errors.New("no change has the object")
		for _, root := range c.spans {
			if root.GetName() != "change" || !strings.Contains(fmt.Sprint(root.GetAttributes()), object) {
				continue
			}
			if last = c.checkTrace(root); last == nil {
				return loggedChange(gw, root)
			}
		}
		return last
	})
}

// checkTrace checks the spans below the root of a trace.
func (c *collector) checkTrace(root *tracev1.Span) error {
	var names []string
	for _, span := range c.spans {
		if !slices.Equal(span.GetParentSpanId(), root.GetSpanId()) {
			continue
		}
		if !slices.Equal(span.GetTraceId(), root.GetTraceId()) || attribute(span, "change") != attribute(root, "change") {
			return fmt.Errorf("the span %v is not of the trace %v", span, root)
		}
		if span.GetStartTimeUnixNano() < root.GetStartTimeUnixNano() || span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
			return fmt.Errorf("the span %v starts before the change or ends before it starts", span)
		}
		names = append(names, span.GetName())
	}
	for _, want := range []string{"seen", "translate", "apply", "workers", "status"} {
		if !slices.Contains(names, want) {
			return fmt.Errorf("change %d has the spans %v, and not %s", attribute(root, "change"), names, want)
		}
	}
	return nil
}

func attribute(span *tracev1.Span, name string) int64 {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == name {
			return a.GetValue().GetIntValue()
		}
	}
	return 0
}

func loggedChange(gw *pod.Pod, root *tracev1.Span) error {
	log, err := gw.Log()
	if err != nil {
		return err
	}
	for _, message := range []string{"Applied the configuration", "Every worker uses the configuration"} {
		if line := fmt.Sprintf("msg=%q change=%d ", message, attribute(root, "change")); !strings.Contains(log, line) {
			return fmt.Errorf("the log has no line with %s", line)
		}
	}
	return nil
}
