package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// prometheus is a real Prometheus that scrapes one gateway, with the labels of the chart's monitors.
type prometheus struct{ address string }

// startPrometheus starts a Prometheus that ends with the test. It skips the test if Prometheus is not installed.
func startPrometheus(t *testing.T, kubeSync, kong string) prometheus {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		lab.Skip(t, "no prometheus is on PATH: the dashboards' queries are not run")
	}
	dir := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: kong
  static_configs: [{targets: [%q], labels: {namespace: kong, pod: gateway-0}}]
- job_name: status
  honor_labels: true
  static_configs: [{targets: [%q], labels: {namespace: kong, pod: gateway-0, job: kong}}]
`, kubeSync, kong)
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := prometheus{freeport.Address(t)}
	// With native histograms it asks for the format that has exemplars.
	cmd := exec.Command(path, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address,
		"--enable-feature=native-histograms,exemplar-storage", "--log.level=warn")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	process, err := kongtest.Run(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { process.End(syscall.SIGTERM, time.Minute) })
	eventually.Nil(t, time.Minute, func() error {
		_, err := p.query("up")
		return err
	})
	return p
}

// query returns the numbers that a query has now.
func (p prometheus) query(expression string) (values []float64, err error) {
	var found struct {
		Result []struct{ Value [2]any }
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expression), &found); err != nil {
		return nil, err
	}
	for _, r := range found.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(value) {
			values = append(values, value)
		}
	}
	return values, nil
}

// exemplars returns the values of a label of the exemplars of a metric.
func (p prometheus) exemplars(metric, label string) (values []string, err error) {
	var found []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	path := fmt.Sprintf("/api/v1/query_exemplars?query=%s&start=%d&end=%d", url.QueryEscape(metric), now.Add(-time.Hour).Unix(), now.Unix())
	if err := p.get(path, &found); err != nil {
		return nil, err
	}
	for _, series := range found {
		for _, exemplar := range series.Exemplars {
			values = append(values, exemplar.Labels[label])
		}
	}
	return values, nil
}

func (p prometheus) get(path string, data any) error {
	answer, err := http.Get("http://" + p.address + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	return json.Unmarshal(body, &struct{ Data any }{data})
}
