package bench

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

var (
	options = register(flag.CommandLine)
	out     = flag.String("out", "../results", "directory for the results of the benchmark")
)

func TestMain(m *testing.M) { lab.Main(m, pod.Programs...) }

// BenchmarkGateway measures for an hour or more, and writes the results.
//
//	go test ./e2e/bench -run '^$' -bench Gateway -benchtime 1x -timeout 0 -v [-args -sizes 100,1000 -changes 50]
func BenchmarkGateway(b *testing.B) {
	dir, err := filepath.Abs(*out)
	must(b, err)
	must(b, os.MkdirAll(dir, 0o755))
	for range b.N {
		run(b, *options, dir)
	}
}

// BenchmarkFeatures measures for some minutes, and writes the results.
//
//	go test ./e2e/bench -run '^$' -bench Features -benchtime 1x -timeout 0 -v
func BenchmarkFeatures(b *testing.B) {
	dir, err := filepath.Abs(*out)
	must(b, err)
	for range b.N {
		must(b, costs(b, 5, 4*time.Second).write(dir))
	}
}

// BenchmarkRequests measures for ten minutes, and writes the results.
//
//	go test ./e2e/bench -run '^$' -bench Requests -benchtime 1x -timeout 0 -v
func BenchmarkRequests(b *testing.B) {
	dir, err := filepath.Abs(*out)
	must(b, err)
	for range b.N {
		must(b, measureRequests(b, requestOptions{sizes: []int{10, 1000, 10000}, rounds: 3, each: 3 * time.Second}).write(dir))
	}
}

// TestRequests measures each shape for an instant.
func TestRequests(t *testing.T) {
	dir := t.TempDir()
	r := measureRequests(t, requestOptions{sizes: []int{3}, rounds: 1, each: 50 * time.Millisecond})
	for _, s := range r.Shapes {
		for _, round := range slices.Concat(s.Sizes[0].Indexed, s.Sizes[0].Stock) {
			if round.Rate == 0 || round.Latency.P99 == 0 {
				t.Errorf("%s was not measured: %+v", s.Name, round)
			}
		}
	}
	must(t, r.write(dir))
	saved, err := read[Requests](filepath.Join(dir, requestsData))
	must(t, err)
	if saved.page() != r.page() {
		t.Error("the page of the saved data differs")
	}
}

// TestFeatures measures each feature for an instant.
func TestFeatures(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	dir := t.TempDir()
	c := costs(t, 1, 100*time.Millisecond)
	for _, f := range c.Features {
		if len(f.Rounds) != 1 || f.Rounds[0].Rate == 0 || f.Rounds[0].Alone == 0 {
			t.Errorf("%s was not measured: %+v", f.Name, f.Rounds)
		}
	}
	must(t, c.write(dir))
	saved, err := read[Costs](filepath.Join(dir, costsData))
	must(t, err)
	if saved.page() != c.page() {
		t.Error("the page of the saved data differs")
	}
}

// TestBenchmark runs a small round of everything. Times do not matter.
func TestBenchmark(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	dir := t.TempDir()
	r := run(t, Options{
		Sizes: []int{100}, Ways: []Way{Delta, Full}, Changes: 2, AtLeast: 2, Budget: time.Minute, Within: 3 * time.Minute, Rate: 50, Idle: time.Second,
	}, dir)
	for _, g := range r.Gateways {
		for _, phase := range g.Phases {
			for kind, samples := range phase.Changes {
				checkSamples(t, g.Way, kind, samples)
			}
			if phase.Load != nil && (phase.Load.Requests == 0 || g.Way == Delta && phase.Load.Errors > 0) {
				t.Errorf("%s: %d of %d requests of the load failed: %q", g.Way, phase.Load.Errors, phase.Load.Requests, phase.Load.Examples)
			}
			if g.Way == Delta && len(phase.Late) > 0 {
				t.Errorf("%s: requests reached removed pods: %q", g.Way, phase.Late)
			}
		}
		if g.AtStart.KubeSync == 0 || g.AtStart.Kong == 0 || g.AtEnd.KubeSync == 0 || len(g.Acknowledged) == 0 {
			t.Errorf("%s: something was not measured: %+v", g.Way, g)
		}
	}
	saved, err := read[Results](filepath.Join(dir, dataFile))
	must(t, err)
	if saved.page() != r.page() {
		t.Error("the page of the saved data differs")
	}
}

// checkSamples is lenient with full loads to a Kong without the companion: a worker of such a
// Kong may keep the old configuration, or answer 500 meanwhile.
func checkSamples(t *testing.T, way Way, kind string, samples []Sample) {
	t.Helper()
	if len(samples) != 2 {
		t.Errorf("%s, %s: %d samples, want 2", way, kind, len(samples))
	}
	for _, s := range samples {
		if s.Never || s.Unexpected > 0 {
			t.Logf("%s, %s: %+v", way, kind, s)
			if way == Delta {
				t.Fail()
			}
		}
		if !s.Never && (s.First == 0 || s.Effective == 0 || s.Effective < s.First) {
			t.Errorf("%s, %s: impossible times: %+v", way, kind, s)
		}
	}
}
