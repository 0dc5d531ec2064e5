package kongconf_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/plugin/datapath"
	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/watch/cluster"
)

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

// exported returns the names of all metrics: kube-sync's by its code, Kong's by testdata/kong-metrics.txt, and the
// one that Prometheus itself adds.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := serve.New(serve.Options{Collectors: []prometheus.Collector{datapath.New(datapath.Options{Log: log}), cluster.RequestMetrics()}, Log: log})
	descriptions := make(chan *prometheus.Desc)
	go func() {
		server.Describe(descriptions)
		close(descriptions)
	}()
	names := map[string]bool{"up": true}
	for d := range descriptions {
		names[fqName.FindStringSubmatch(d.String())[1]] = true
	}
	if !names["ingress_controller_configuration_age_seconds"] || !names["ingress_controller_relay_rules"] || !names["process_start_time_seconds"] {
		t.Fatalf("kube-sync has the metrics %v", names)
	}
	for _, name := range kongMetrics(t) {
		names[name] = true
	}
	return names
}

func kongMetrics(t *testing.T) (names []string) {
	t.Helper()
	for line := range strings.Lines(readFile(t, "testdata/kong-metrics.txt")) {
		if name := strings.TrimSpace(line); !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	return names
}

var kongMetric = regexp.MustCompile(`prometheus:(?:gauge|counter|histogram)\("(\w+)"`)

// TestKongMetrics compares the list of Kong's metrics with the Kong on this machine.
func TestKongMetrics(t *testing.T) {
	found, _ := filepath.Glob("/usr/local/share/lua/5.1/kong/plugins/prometheus/exporter.lua")
	if len(found) == 0 {
		t.Skip("Kong is not installed: the list of its metrics is not compared")
	}
	var names []string
	for _, m := range kongMetric.FindAllStringSubmatch(readFile(t, found[0]), -1) {
		if name := "kong_" + m[1]; !strings.HasPrefix(m[1], "ai_") && !strings.HasPrefix(m[1], "data_plane_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if want := kongMetrics(t); !slices.Equal(names, want) {
		t.Errorf("Kong has the metrics\n%v, and the list is\n%v", names, want)
	}
}

// checkQuery checks the syntax of a query, that its metrics exist, and that it selects one gateway.
func checkQuery(t *testing.T, where, query string, names map[string]bool) {
	t.Helper()
	parsed, err := metricsql.Parse(query)
	if err != nil {
		t.Errorf("%s: %v in %s", where, err, query)
		return
	}
	metrics := 0
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		series, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		metrics++
		for _, filters := range series.LabelFilterss {
			name, of := "", map[string]string{}
			for _, f := range filters {
				if f.Label == "__name__" {
					name = f.Value
				} else {
					of[f.Label] = f.Value
				}
			}
			base := name
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !names[name] && !names[base] {
				t.Errorf("%s: the metric %s does not exist", where, name)
			}
			if of["namespace"] == "" || of["job"] == "" {
				t.Errorf("%s: %s selects the series of other gateways too: %s", where, name, query)
			}
		}
	})
	if metrics == 0 {
		t.Errorf("%s: the query has no metric: %s", where, query)
	}
}

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

const withRules = "monitoring: {prometheusRule: {enabled: true}}\n"

func rulesOf(t *testing.T, values string) []rule {
	t.Helper()
	made := decode[struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       struct {
			Groups []struct {
				Name  string `json:"name"`
				Rules []rule `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}](t, objects(t, render(t, values).Manifests()), "PrometheusRule kong/kong")
	return made.Spec.Groups[0].Rules
}

func TestAlerts(t *testing.T) {
	names, seen := exported(t), map[string]bool{}
	for _, rule := range rulesOf(t, withRules) {
		checkQuery(t, rule.Alert, rule.Expr, names)
		if seen[rule.Alert] || rule.Alert == "" {
			t.Errorf("the alert %q has no name, or occurs twice", rule.Alert)
		}
		seen[rule.Alert] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) ||
			rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s has the labels %v and the annotations %v", rule.Alert, rule.Labels, rule.Annotations)
		}
	}
	if len(seen) < 23 {
		t.Errorf("there are %d alerts", len(seen))
	}
}

func TestAlertsCanBeConfigured(t *testing.T) {
	rules := rulesOf(t, `monitoring:
  prometheusRule:
    enabled: true
    selector: cluster="a",namespace="b",job="c"
    disabled: [KubeSyncAbsent]
    alertLabels: {team: edge, severity: page}
    extraRules: [{alert: Own, expr: vector(1)}]
`)
	for _, rule := range rules {
		switch {
		case rule.Alert == "KubeSyncAbsent":
			t.Error("a disabled alert is rendered")
		case rule.Alert != "Own" && (!strings.Contains(rule.Expr, `cluster="a",namespace="b",job="c"`) || rule.Labels["team"] != "edge" || rule.Labels["severity"] != "page"):
			t.Errorf("%s has the labels %v and the expression %s", rule.Alert, rule.Labels, rule.Expr)
		}
	}
	if rules[len(rules)-1].Alert != "Own" {
		t.Error("an extra rule is missing")
	}
}

// TestAlertsFire evaluates the alerts over the series of testdata/alerts.yaml with Prometheus' own tool.
func TestAlertsFire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not on PATH: alerts are not evaluated")
	}
	rules, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "kong", "rules": rulesOf(t, withRules)}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, content := range map[string]string{"rules.yaml": string(rules), "test.yaml": readFile(t, "testdata/alerts.yaml")} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "test.yaml"}} {
		run := exec.Command(promtool, args...)
		run.Dir = dir
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
}

// dashboard is the part of a Grafana dashboard that tests check.
type dashboard struct {
	UID, Title string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

// fewest is the least number of panels of a dashboard.
var fewest = map[string]int{"kong.json": 26, "kube-sync.json": 20}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr string }

	Description string
	Datasource  struct{ UID string }
	FieldConfig struct{ Defaults struct{ Unit string } }
}

var (
	variable    = regexp.MustCompile(`\$\{?(\w+)\}?`)
	labelValues = regexp.MustCompile(`^label_values\((.+), \w+\)$`)
)

func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("chart/files/dashboards/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("dashboards are %v, %v", files, err)
	}
	rendered := objects(t, render(t, "monitoring: {dashboards: {enabled: true, namespace: grafana, annotations: {grafana_folder: Kong}}}\n").Manifests())
	names, uids := exported(t), map[string]bool{}
	for _, file := range files {
		name := filepath.Base(file)
		content := readFile(t, file)
		var board dashboard
		if err := json.Unmarshal([]byte(content), &board); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if board.UID == "" || uids[board.UID] {
			t.Errorf("%s: the uid %q is empty or occurs twice", name, board.UID)
		}
		uids[board.UID] = true
		known := map[string]string{"__rate_interval": "5m"}
		for _, v := range board.Templating.List {
			known[v.Name] = "x"
			if found := labelValues.FindStringSubmatch(v.Definition); v.Type == "query" && found == nil {
				t.Errorf("%s: the definition of the variable %s is %s, want label_values", name, v.Name, v.Definition)
			} else if found != nil && !names[strings.Split(found[1], "{")[0]] {
				t.Errorf("%s: the metric of the variable %s does not exist: %s", name, v.Name, v.Definition)
			}
		}
		checkPanels(t, name, board, known, names)
		if n := len(slices.DeleteFunc(slices.Clone(board.Panels), func(p panel) bool { return p.Type == "row" })); n < fewest[name] {
			t.Errorf("%s has %d panels, want %d", name, n, fewest[name])
		}
		id := "ConfigMap grafana/kong-dashboard-" + strings.TrimSuffix(name, ".json")
		data, _ := rendered[id]["data"].(map[string]any)
		if text, _ := data[name].(string); strings.TrimSpace(text) != strings.TrimSpace(content) {
			t.Errorf("%s differs from the file", id)
		}
	}
}

func checkPanels(t *testing.T, name string, board dashboard, known map[string]string, names map[string]bool) {
	t.Helper()
	ids, taken := map[int]bool{}, map[string]string{}
	for _, panel := range board.Panels {
		where := fmt.Sprintf("%s: %s", name, panel.Title)
		if panel.Title == "" || ids[panel.ID] || panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s: panel %d has no title, no query, or the id of another", where, panel.ID)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && (panel.Description == "" || panel.FieldConfig.Defaults.Unit == "" || panel.Datasource.UID != "${datasource}") {
			t.Errorf("%s has no description, no unit, or another data source: %+v", where, panel)
		}
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				at := fmt.Sprint(x, " ", y)
				if taken[at] != "" || x > 23 {
					t.Fatalf("%s overlaps %q, or exceeds the right edge", where, taken[at])
				}
				taken[at] = panel.Title
			}
		}
		for _, target := range panel.Targets {
			query := variable.ReplaceAllStringFunc(target.Expr, func(v string) string {
				value := known[variable.FindStringSubmatch(v)[1]]
				if value == "" {
					t.Errorf("%s: the variable %s does not exist", where, v)
				}
				return value
			})
			checkQuery(t, where, query, names)
		}
	}
}

// runbooks is the page of the manual that explains the alerts.
const runbooks = "../docs/operations/alerts.md"

var (
	section = regexp.MustCompile(`(?m)^## (\S+)$`)
	answers = []string{"**What it means.** ", "**How to look.** ", "**What to do.** "}
)

// TestAlertsAreExplained holds the alerts to the manual: each leads to a section that says what it means, how to look, and
// what to do, and each section is about an alert.
func TestAlertsAreExplained(t *testing.T) {
	page := readFile(t, runbooks)
	sections, starts := map[string]string{}, section.FindAllStringSubmatchIndex(page, -1)
	for i, at := range starts {
		end := len(page)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		sections[page[at[2]:at[3]]] = page[at[1]:end]
	}
	for _, rule := range rulesOf(t, withRules) {
		text, ok := sections[rule.Alert]
		delete(sections, rule.Alert)
		if !ok {
			t.Errorf("%s has no section %s", runbooks, rule.Alert)
			continue
		}
		rest := text
		for _, answer := range answers {
			_, after, found := strings.Cut(rest, answer)
			if !found || len(strings.TrimSpace(strings.SplitN(after, "\n\n", 2)[0])) < 40 {
				t.Errorf("the section %s does not say, in this order: %s", rule.Alert, answer)
			}
			rest = after
		}
		want := "https://github.com/kube-sync/kube-sync/blob/main/docs/operations/alerts.md#" + strings.ToLower(rule.Alert)
		if got := rule.Annotations["runbook_url"]; got != want {
			t.Errorf("%s leads to %s, want %s", rule.Alert, got, want)
		}
		if !strings.Contains(readFile(t, "testdata/alerts.yaml"), `alertname="`+rule.Alert+`"`) {
			t.Errorf("testdata/alerts.yaml does not fire %s", rule.Alert)
		}
	}
	for name := range sections {
		t.Errorf("%s has a section %s, and there is no such alert", runbooks, name)
	}
}

// TestRunbooksElsewhere moves the page of the alerts, or leaves it out.
func TestRunbooksElsewhere(t *testing.T) {
	for url, want := range map[string]string{"https://wiki.example/alerts": "https://wiki.example/alerts#kubesyncabsent", `""`: ""} {
		rules := rulesOf(t, "monitoring: {prometheusRule: {enabled: true, runbookURL: "+url+"}}\n")
		if got := rules[0].Annotations["runbook_url"]; got != want {
			t.Errorf("with %s the first alert leads to %q, want %q", url, got, want)
		}
	}
}
