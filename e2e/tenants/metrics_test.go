package tenants

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
)

// The operator's metrics of upstreams stay when a namespace has a plugin without them. In Kong alone, each request of
// either plugin switches them for all.
func TestMetricsAreTheOperators(t *testing.T) {
	for _, when := range []string{"loaded", "changed"} {
		t.Run(when, func(t *testing.T) {
			s := newScene(t, translate.Options{}, "KONG_NGINX_WORKER_PROCESSES=1")
			webs := s.web("shop", "web", "shop.example") + s.web("attacker", "web", "attacker.example", "konghq.com/plugins: metrics")
			if when == "changed" {
				s.apply(s.web("shop", "web", "shop.example"))
				s.want(request{host: "shop.example"}, http.StatusOK)
			}
			s.apply(webs + plugin("attacker", "metrics", "prometheus", "{upstream_health_metrics: false}") + metricsOfUpstreams)
			s.want(request{host: "shop.example"}, http.StatusOK)
			s.want(request{host: "attacker.example"}, http.StatusOK)
			if !strings.Contains(s.metrics(), "kong_upstream_target_health{") {
				t.Error("there are no metrics of upstreams")
			}
		})
	}
}

const metricsOfUpstreams = `
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: metrics, labels: {global: "true"}, annotations: {kubernetes.io/ingress.class: kong}}
plugin: prometheus
config: {upstream_health_metrics: true}
`

// metrics returns Kong's metrics.
func (s *scene) metrics() string {
	s.t.Helper()
	response, err := s.Admin().Get("http://kong/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s, %v", response.Status, err)
	}
	return string(body)
}
