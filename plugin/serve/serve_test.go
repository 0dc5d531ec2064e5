package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func probe(s *Server, path string) (int, string) {
	answer := httptest.NewRecorder()
	s.Health().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func TestReadiness(t *testing.T) {
	s := New(Options{})
	if code, body := probe(s, "/healthz"); code != 200 {
		t.Errorf("healthz: %d %s", code, body)
	}
	if code, body := probe(s, "/readyz"); code != 503 || body != "not ready: starting" {
		t.Errorf("at first: %d %s", code, body)
	}
	s.SetReason("Kong has not acknowledged a configuration yet")
	if code, body := probe(s, "/readyz"); code != 503 || !strings.Contains(body, "acknowledged") {
		t.Errorf("later: %d %s", code, body)
	}
	s.SetReady()
	s.SetReason("the API server is gone")
	if code, body := probe(s, "/readyz"); code != 200 || body != "ready" || !s.Ready() {
		t.Errorf("for good: %d %s", code, body)
	}
}

func TestWarnings(t *testing.T) {
	s := New(Options{})
	s.SetKong("3.9.3", []string{"Kong 3.9.3 has known vulnerabilities", "another"})
	if _, body := probe(s, "/readyz"); body != "not ready: starting" {
		t.Errorf("at first: %s", body)
	}
	s.SetReady()
	if code, body := probe(s, "/readyz"); code != 200 || body != "ready\nwarning: Kong 3.9.3 has known vulnerabilities\nwarning: another" {
		t.Errorf("%d %s", code, body)
	}
	if got := testutil.ToFloat64(s.kong.WithLabelValues("3.9.3", "true")); got != 1 {
		t.Errorf("the metric is %v", got)
	}
	s.SetKong("3.9.4", nil)
	if _, body := probe(s, "/readyz"); body != "ready" || testutil.CollectAndCount(s.kong) != 1 {
		t.Errorf("%s, %d metrics", body, testutil.CollectAndCount(s.kong))
	}
}

// A kind has one state at a time, independent of other kinds of its group.
func TestKindsInMetrics(t *testing.T) {
	m := newMetrics("unix:/s")
	m.SetKind("g", "A", "v1beta1", "read")
	m.SetKind("g", "B", "", "undefined")
	m.SetKind("g", "A", "v1", "read")
	want := `
# HELP ingress_controller_custom_kind_info 1 for the state of a custom kind: read, undefined, unsupported (the cluster serves no version that can be read) or forbidden (the gateway may not list it); and the API version that is served.
# TYPE ingress_controller_custom_kind_info gauge
ingress_controller_custom_kind_info{group="g",kind="A",state="read",version="v1"} 1
ingress_controller_custom_kind_info{group="g",kind="B",state="undefined",version=""} 1
`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), prefix+"custom_kind_info"); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	m := newMetrics("unix:/s")
	m.Translated(3*time.Millisecond, 2)
	object := unit.Key{Kind: unit.Ingress, Namespace: "shop", Name: "web"}
	m.Applied(gateway.Outcome{
		Sent: true, Bytes: 100, Entities: map[kong.Type]int{kong.Routes: 3, kong.Targets: 5},
		Refusals: []gateway.Refusal{{Object: object}, {Object: object}},
	}, 20*time.Millisecond, map[unit.Kind]time.Time{unit.EndpointSlice: time.Now().Add(-50 * time.Millisecond)})
	m.Applied(gateway.Outcome{Entities: map[kong.Type]int{kong.Routes: 3}}, time.Millisecond, map[unit.Kind]time.Time{unit.Ingress: time.Now()})
	m.ApplyFailed(fmt.Errorf("x: %w", adminapi.ErrUnreachable), time.Second)
	m.ApplyFailed(&adminapi.RefusedError{}, time.Second)
	m.ApplyFailed(adminapi.ErrTooLarge, time.Second)
	m.Current(time.Now().Add(-time.Hour))

	want := `
		# HELP ingress_controller_configuration_entities Entities in the configuration that Kong acknowledged, by type.
		# TYPE ingress_controller_configuration_entities gauge
		ingress_controller_configuration_entities{type="routes"} 3
		# HELP ingress_controller_configuration_push_broken_resource_count Objects that Kong refuses, or that depend on one.
		# TYPE ingress_controller_configuration_push_broken_resource_count gauge
		ingress_controller_configuration_push_broken_resource_count{dataplane="unix:/s"} 0
		# HELP ingress_controller_configuration_push_count Configurations sent to Kong.
		# TYPE ingress_controller_configuration_push_count counter
		ingress_controller_configuration_push_count{dataplane="unix:/s",failure_reason="",protocol="db-less",success="true"} 1
		ingress_controller_configuration_push_count{dataplane="unix:/s",failure_reason="conflict",protocol="db-less",success="false"} 1
		ingress_controller_configuration_push_count{dataplane="unix:/s",failure_reason="network",protocol="db-less",success="false"} 1
		ingress_controller_configuration_push_count{dataplane="unix:/s",failure_reason="other",protocol="db-less",success="false"} 1
		# HELP ingress_controller_configuration_push_size Bytes of the last configuration.
		# TYPE ingress_controller_configuration_push_size gauge
		ingress_controller_configuration_push_size{dataplane="unix:/s",protocol="db-less",success="true"} 100
		# HELP ingress_controller_translation_broken_resource_count Objects with verdicts of the translation.
		# TYPE ingress_controller_translation_broken_resource_count gauge
		ingress_controller_translation_broken_resource_count 2
		# HELP ingress_controller_translation_count Translations of changes.
		# TYPE ingress_controller_translation_count counter
		ingress_controller_translation_count{success="true"} 1
	`
	if err := testutil.GatherAndCompare(m.registry, strings.NewReader(want), prefix+"configuration_entities",
		prefix+"configuration_push_broken_resource_count", prefix+"configuration_push_count", prefix+"configuration_push_size",
		prefix+"translation_broken_resource_count", prefix+"translation_count"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(m.registry, prefix+"change_to_acknowledged_seconds", prefix+"configuration_age_seconds"); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	page := scrape(t, New(Options{}).metricsHandler())
	if !strings.Contains(page, "go_goroutines") || !strings.Contains(page, "process_resident_memory_bytes") {
		t.Error("the process is not measured")
	}
	server := &Server{Metrics: m}
	page = scrape(t, server.metricsHandler())
	if line := `ingress_controller_change_to_acknowledged_seconds_count{kind="EndpointSlice"} 1`; !strings.Contains(page, line) {
		t.Errorf("%s is missing", line)
	}
	age := regexp.MustCompile(`(?m)^ingress_controller_configuration_age_seconds (.*)$`).FindStringSubmatch(page)
	if age == nil {
		t.Error("the age of the configuration is missing")
	} else if seconds, err := strconv.ParseFloat(age[1], 64); err != nil || seconds < 3600 || seconds > 7200 {
		t.Errorf("the configuration is %s seconds old, want an hour", age[1])
	}
	if strings.Contains(page, `kind="Ingress"`) {
		t.Error("what was not sent counts as acknowledged")
	}
}

func scrape(t *testing.T, handler http.Handler) string {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != 200 {
		t.Fatalf("status %d", answer.Code)
	}
	return answer.Body.String()
}

func get(url string) (int, string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// The newer of two servers gets the port when the older one lets go.
func TestSuccession(t *testing.T) {
	for name, addresses := range map[string][2]string{
		"two ports": {freeport.Address(t), freeport.Address(t)},
		"one port":  {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if addresses[0] == "" {
				addresses[0] = freeport.Address(t)
				addresses[1] = addresses[0]
			}
			run := func() (*Server, context.CancelFunc, chan error) {
				ctx, cancel := context.WithCancel(t.Context())
				s := New(Options{HealthAddress: addresses[0], MetricsAddress: addresses[1], Log: slog.New(slog.DiscardHandler)})
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				return s, cancel, done
			}
			older, leave, left := run()
			older.SetReady()
			readyz := "http://" + addresses[0] + "/readyz"
			eventually.True(t, 10*time.Second, "ready server", func() bool { code, _, _ := get(readyz); return code == 200 })
			_, stop, stopped := run()
			time.Sleep(3 * retryEvery)
			if code, _, _ := get(readyz); code != 200 {
				t.Errorf("while both run: %d", code)
			}
			leave()
			if err := <-left; err != nil {
				t.Error(err)
			}
			eventually.True(t, 10*time.Second, "newer server", func() bool { code, _, _ := get(readyz); return code == 503 })
			eventually.True(t, 10*time.Second, "metrics", func() bool {
				code, body, _ := get("http://" + addresses[1] + "/metrics")
				return code == 200 && strings.Contains(body, prefix)
			})
			stop()
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPortTaken(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	log := &lines{until: "A port is in use", then: cancel}
	s := New(Options{HealthAddress: "off", MetricsAddress: stranger.Addr().String(), Log: slog.New(slog.NewTextHandler(log, nil))})
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	for _, says := range []string{"A port is in use", "METRICS_BIND_ADDRESS", stranger.Addr().String()} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("log %q should say %q", log.String(), says)
		}
	}
}

// lines is a log that calls a function when it receives a line with a text.
type lines struct {
	bytes.Buffer
	until string
	then  func()
}

func (l *lines) Write(line []byte) (int, error) {
	if strings.Contains(string(line), l.until) {
		defer l.then()
	}
	return l.Buffer.Write(line)
}

func TestAddressThatIsNotOurs(t *testing.T) {
	s := New(Options{HealthAddress: "192.0.2.1:80", MetricsAddress: "off", Log: slog.New(slog.DiscardHandler)})
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "HEALTH_PROBE_BIND_ADDRESS") {
		t.Errorf("error %v", err)
	}
}

// Profiles have an address of their own, and are nowhere else.
func TestProfiles(t *testing.T) {
	o := Options{HealthAddress: freeport.Address(t), MetricsAddress: freeport.Address(t), ProfilesAddress: freeport.Address(t), Log: slog.New(slog.DiscardHandler)}
	s := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	status := func(address, path string) int {
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1"} {
		eventually.True(t, 20*time.Second, path, func() bool { return status(o.ProfilesAddress, path) == http.StatusOK })
		for _, address := range []string{o.HealthAddress, o.MetricsAddress} {
			eventually.True(t, 20*time.Second, address, func() bool { return status(address, path) == http.StatusNotFound })
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
