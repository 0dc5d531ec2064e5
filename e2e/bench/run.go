package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// run measures. After each gateway it writes the results so far to the directory, if one is given.
func run(t testing.TB, o Options, dir string) *Results {
	t.Helper()
	needKong(t)
	r := &Results{Options: o, Begun: now()}
	b := &bench{t: t, options: o, world: newWorld(t), backend: startBackend(t), results: r}
	r.Machine = b.world.machine(t)
	b.credentials = b.world.credentials(t, roles(t))
	b.world.startPlugins(t)
	var err error
	b.pods, err = b.world.startPods(t.Context())
	must(t, err)
	for _, routes := range o.Sizes {
		must(t, b.world.grow(t.Context(), routes))
		for _, way := range o.Ways {
			r.Gateways = append(r.Gateways, b.gateway(routes, way))
			r.Ended = now()
			if dir != "" {
				must(t, r.write(dir))
			}
		}
	}
	return r
}

// needKong skips the benchmark if there is no Kong on this machine.
func needKong(t testing.TB) {
	t.Helper()
	if lab.External() {
		lab.Skip(t, "measures processes on this machine")
	}
	if _, err := exec.LookPath("kong"); err != nil {
		lab.Skip(t, "needs a real kong on PATH")
	}
	t.Chdir("..") // package pod looks for kong-conf beside the directory that tests run in
}

// roles are manifests of the installation.
func roles(t testing.TB) string {
	t.Helper()
	manifests, err := os.ReadFile("../kong-conf/install.yaml")
	must(t, err)
	return string(manifests)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// credentials returns the credentials of the installation's ServiceAccount, with its roles.
func (w *world) credentials(t testing.TB, manifests string) lab.Credentials {
	t.Helper()
	const namespace, account = "kong", "kube-sync"
	wanted := regexp.MustCompile(`(?m)^kind: (Namespace|ServiceAccount|(Cluster)?Role(Binding)?)$`)
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if wanted.MatchString(document) {
			w.cp.MustApply(t, "", document)
		}
	}
	return w.cp.ServiceAccount(t, namespace, account, "")
}

// bench is a run.
type bench struct {
	t           testing.TB
	options     Options
	world       *world
	backend     *backend
	credentials lab.Credentials
	pods        *pods
	results     *Results
}

// gateway measures one gateway.
func (b *bench) gateway(routes int, way Way) Gateway {
	ctx := b.t.Context()
	g, err := startGateway(b.t, b.credentials, way)
	must(b.t, err)
	result := Gateway{Routes: routes, Way: way, Ready: g.ready}
	b.t.Logf("%d routes, %s: ready after %s", routes, way, g.ready.Round(time.Millisecond))
	b.serving(g)
	// Kong creates balancers for some seconds after it is ready.
	g.awaitIdle(3*time.Second, time.Minute)
	result.AtStart = g.memory()
	result.Idle = g.idle(b.options.Idle)
	before, err := g.acknowledged()
	must(b.t, err)
	for _, loaded := range []bool{false, true} {
		result.Phases = append(result.Phases, b.phase(ctx, g, way, loaded))
	}
	time.Sleep(200 * time.Millisecond) // kube-sync counts a change after Kong has told it
	after, err := g.acknowledged()
	must(b.t, err)
	result.Acknowledged, result.AtEnd = after.since(before), g.memory()
	result.Log = complaints(g)
	g.pod.Stop()
	must(b.t, b.world.uncertify(ctx))
	must(b.t, b.world.unplug(ctx))
	return result
}

// serving waits until all workers serve, shortly after the gateway is ready.
func (b *bench) serving(g *gateway) {
	last := b.world.routes - 1
	ready := change{
		write: func(context.Context) error { return nil },
		questions: []question{{
			url:   "http://" + host(routeName(last)) + "/",
			right: func(a answer) bool { return served(a) && number(a.endpoint)/perRoute == last },
			stale: status(404),
		}},
	}
	s, err := follow(b.t.Context(), newClient(clientsAt), ready, g.workers, readyWithin)
	must(b.t, err)
	if s.Never {
		b.t.Fatalf("not all workers serve within %s of the gateway being ready: %s", readyWithin, s.Examples)
	}
}

// phase runs rounds of changes.
func (b *bench) phase(ctx context.Context, g *gateway, way Way, loaded bool) Phase {
	most := min(b.options.Changes, b.world.routes/2) // each has a route of its own to give a certificate to
	p := Phase{Changes: map[string][]Sample{}}
	r := &rounds{world: b.world, backend: b.backend, name: string(way), pods: b.pods}
	c := newClient(clientsAt)
	var steady *load
	if loaded {
		r.number = most
		steady = startLoad(ctx, b.world, b.options.Rate)
	}
	atLeast := b.options.AtLeast
	if loaded {
		atLeast = (atLeast + 1) / 2
	}
	begun := time.Now()
	for n := 0; n < most && (n < atLeast || time.Since(begun) < b.options.Budget); n++ {
		for _, k := range kinds {
			p.Changes[k.Name] = append(p.Changes[k.Name], b.one(ctx, g, way, c, r, k))
		}
		r.number++
	}
	if steady != nil {
		p.Load = steady.stop()
	}
	p.Took, p.Late = time.Since(begun), r.late()
	b.log(p)
	return p
}

// one makes a change.
func (b *bench) one(ctx context.Context, g *gateway, way Way, c *client, r *rounds, k kind) Sample {
	if way == Full {
		g.awaitIdle(100*time.Millisecond, 10*time.Second)
	}
	// At a random time, because kube-sync does some work at intervals.
	time.Sleep(20*time.Millisecond + rand.N(40*time.Millisecond))
	prepared, err := k.prepare(r)
	must(b.t, err)
	s, err := follow(ctx, c, prepared, g.workers, b.options.Within)
	must(b.t, err)
	return s
}

// log prints progress.
func (b *bench) log(p Phase) {
	for _, k := range kinds {
		samples := p.Changes[k.Name]
		if len(samples) == 0 {
			continue
		}
		q, never, unexpected := of(samples, effective), 0, 0
		for _, s := range samples {
			if unexpected += s.Unexpected; s.Never {
				never++
			}
		}
		b.t.Logf("  load %t, %-20s %3d times, effective p50 %s max %s, first p50 %s, never %d, unexpected %d", p.Load != nil, k.Name,
			len(samples), ms(q.P50), ms(q.Max), ms(of(samples, first).P50), never, unexpected)
	}
	if p.Load != nil {
		b.t.Logf("  %d requests, %d errors, p50 %s, p99 %s, max %s", p.Load.Requests, p.Load.Errors,
			ms(p.Load.Latency.P50), ms(p.Load.Latency.P99), ms(p.Load.Latency.Max))
	}
	if len(p.Late) > 0 {
		b.t.Logf("  requests reached removed pods: %s", strings.Join(p.Late, "; "))
	}
}

// Warnings and errors in the log of Kong and kube-sync.
var complaint = regexp.MustCompile(`\[(warn|error|crit|alert|emerg)\]|level=(WARN|ERROR)`)

// complaints returns the warnings and errors in the gateway's log, with their counts. Lines that differ in numbers only
// are listed once.
func complaints(g *gateway) []string {
	log, err := g.pod.Log()
	if err != nil {
		return []string{err.Error()}
	}
	counts := map[string]int{}
	var order []string
	variable := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d+`)
	for line := range strings.Lines(log) {
		if !complaint.MatchString(line) {
			continue
		}
		const longest = 300
		text := variable.ReplaceAllString(strings.TrimSpace(line), "N")
		text = text[:min(len(text), longest)]
		if counts[text]++; counts[text] == 1 {
			order = append(order, text)
		}
	}
	var list []string
	const enough = 20
	for _, text := range order[:min(len(order), enough)] {
		list = append(list, fmt.Sprintf("%d × %s", counts[text], text))
	}
	return list
}
