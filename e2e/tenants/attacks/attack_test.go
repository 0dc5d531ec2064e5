package attacks

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/testcert"
)

// attack is an attack on the victim.
type attack struct {
	name string
	// steps are the attacker's manifests, one state after the other.
	steps []string
	// told are objects, "Kind namespace/name", that have to get a diagnostic. The objects of an attack
	// without any are permitted and harmless.
	told []string
	// requests sends the attacker's requests once its objects have taken effect.
	requests func(t *testing.T, w *world)
}

// mostMemory bounds the additional memory of all of the gateway's processes during an attack, in MiB.
const mostMemory = 600

// fewest is the least number of the victim's changes that each attack measures.
const fewest = 3

// world is a gateway with a victim.
type world struct {
	*gateway
	*servers
	changes int // that the victim has made
	marks   int // that attacks have made
}

// startWorld starts a gateway that serves the victim.
func startWorld(t *testing.T, s *servers, settings map[string]string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{servers: s}
	first := &gateway{t: t, manifests: dir}
	first.write("operator", operatorManifests)
	pair := testcert.Server(s.ca, "secure.shop.test")
	cert, key := pair.CertPEM(), pair.KeyPEM()
	first.write(shop, shopManifests(s, cert, key))
	first.write(changing, changed(0))
	w.gateway = startGateway(t, dir, settings)
	eventually.Nil(t, answersWithin, w.well)
	return w
}

// well sends all of the victim's requests, and returns an error if an answer is wrong.
func (w *world) well() error {
	var all []error
	for range 3 {
		for _, r := range requests {
			failure, letIn := w.try(r)
			if failure != "" || letIn != "" {
				all = append(all, errors.New(failure+letIn))
			}
		}
	}
	if failure := w.tryStream(); failure != "" {
		all = append(all, errors.New(failure))
	}
	return errors.Join(all...)
}

// row has the results of an attack.
type row struct {
	attack, reasons       string
	middle, longest       time.Duration
	sent, failures, letIn int
	memory, trapped       int
	loads                 int // of the whole configuration
	failed                bool
}

// run runs an attack and returns its results. It also reports whether the gateway is as before.
func (w *world) run(t *testing.T, a attack) (r row, intact bool) {
	t.Helper()
	before, err := w.entities(shop)
	if err != nil {
		t.Fatal(err)
	}
	w.resetPeak()
	pids, memory, begun := w.pids(), w.memory("VmRSS"), len(w.log(0))
	w.takeTrapped()
	w.t = t
	l := w.live()
	if len(a.steps) == 0 {
		w.step("")
	}
	for _, manifests := range a.steps {
		w.step(manifests)
	}
	told := w.awaitDiagnostics(a, begun)
	if a.requests != nil {
		a.requests(t, w)
	}
	w.awaitChanges(l, fewest)
	w.compare(t, "during the attack", before)
	w.remove(attacker)
	w.awaitChanges(l, l.rounds()+2)
	l.end()
	w.compare(t, "after the attack", before)

	r = w.judge(t, a, l, begun, told)
	r.memory = w.memory("VmHWM") - memory
	if r.memory > mostMemory {
		t.Errorf("the gateway's processes took %d MiB more, not %d", r.memory, mostMemory)
	}
	if after := w.pids(); !slices.Equal(pids, after) {
		t.Errorf("processes were %v and are %v:\n%.3000s", pids, after, w.log(begun))
		return r, false
	}
	// Something that has connected to a trap may retry for a minute.
	return r, l.late == "" && r.trapped == 0 && w.well() == nil
}

// step replaces the attacker's manifests, and waits until kube-sync has seen them.
func (w *world) step(manifests string) {
	w.marks++
	host := fmt.Sprintf("mark-%d.attacker.test", w.marks)
	w.write(attacker, service(attacker, "web", strangerIP, backendPort)+ingress(attacker, "mark", host, "/", "web")+manifests)
	for begun := w.given(); w.given()-begun < 3*time.Second; time.Sleep(20 * time.Millisecond) {
		if a, err := w.do("GET", host, "/", false, nil); err == nil && a.seen.Served == strangerIP {
			return // an attacker's own routes may well suffer from an attack
		}
	}
}

// awaitDiagnostics waits until all objects of the attack have their diagnostics. The log has those of
// all kinds but Gateway API's, whose conditions the command line prints.
func (w *world) awaitDiagnostics(a attack, since int) (told []diagnostic) {
	inLog := func() bool {
		told = w.diagnostics(since)
		return !slices.ContainsFunc(untold(a, told), func(o string) bool { return !isGatewayAPI(o) })
	}
	// While objects arrive there are diagnostics about missing ones.
	for begun, good := w.given(), 0; good < 4 && w.given()-begun < worst; time.Sleep(50 * time.Millisecond) {
		if good++; !inLog() {
			good = 0
		}
	}
	missing := untold(a, told)
	if len(missing) == 0 {
		return told
	}
	for line := range strings.Lines(w.conditions()) {
		for _, object := range missing {
			if _, said, ok := strings.Cut(line, " "+object+": "); ok && isGatewayAPI(object) {
				reason, message, _ := strings.Cut(strings.TrimSpace(said), ": ")
				told = append(told, diagnostic{Object: object, Reason: reason, Message: message})
			}
		}
	}
	return told
}

func isGatewayAPI(object string) bool {
	kind, _, _ := strings.Cut(object, " ")
	return strings.HasSuffix(kind, "Route") || strings.HasPrefix(kind, "Gateway") || strings.HasSuffix(kind, "ListenerSet") || kind == "BackendTLSPolicy"
}

func untold(a attack, told []diagnostic) (all []string) {
	for _, object := range a.told {
		if len(of(object, told)) == 0 {
			all = append(all, object)
		}
	}
	return all
}

func (w *world) awaitChanges(l *life, n int) {
	for begun := w.given(); l.rounds() < n && w.given()-begun < 3*worst; {
		time.Sleep(20 * time.Millisecond)
	}
}

// compare checks that the victim's entities are unchanged.
func (w *world) compare(t *testing.T, when string, before map[string]string) {
	t.Helper()
	now, err := w.entities(shop)
	if err != nil {
		t.Errorf("%s: %v", when, err)
		return
	}
	if diff := cmp.Diff(before, now); diff != "" {
		t.Errorf("%s the victim's entities in Kong differ:\n%s", when, diff)
	}
}

// judge reports effects on the victim, and diagnostics that the attacker lacks.
func (w *world) judge(t *testing.T, a attack, l *life, begun int, told []diagnostic) row {
	t.Helper()
	for what, all := range map[string][]string{"failed": l.failures, "were let in": l.letIn} {
		if len(all) > 0 {
			t.Errorf("%d of the victim's %d requests %s:\n%s", len(all), l.sent, what, strings.Join(all[:min(5, len(all))], "\n"))
		}
	}
	for _, d := range w.logged(begun, "manifest rejected") {
		t.Errorf("the attack's manifests are not taken: %.500s", d.Reason)
	}
	slices.Sort(l.changes)
	// kube-sync logs changes that are sent separately at another level.
	r := row{loads: len(w.logged(begun, "Applied the configuration")), attack: a.name, sent: l.sent, failures: len(l.failures), letIn: len(l.letIn)}
	r.middle, r.longest = l.changes[len(l.changes)/2], l.changes[len(l.changes)-1]
	if l.late != "" || r.longest > worst {
		t.Errorf("a change of the victim took %s, longer than %s: %s", r.longest, worst, l.late)
	}
	if missing := untold(a, told); len(missing) > 0 {
		t.Errorf("%d objects got no diagnostic: %v", len(missing), missing[:min(3, len(missing))])
	}
	var reasons []string
	for _, d := range told {
		if strings.Contains(d.Object, " "+shop+"/") {
			t.Errorf("the victim's %s was told %s: %s", d.Object, d.Reason, d.Message)
		} else if slices.Contains(a.told, d.Object) {
			if ofShop.MatchString(d.Message) && !slices.ContainsFunc(a.steps, namesShop) {
				t.Errorf("%s is told of another namespace's object: %s", d.Object, d.Message)
			}
			if !slices.Contains(reasons, d.Reason) {
				t.Logf("%s: %s: %.300s", d.Object, d.Reason, d.Message)
			}
			reasons = append(reasons, d.Reason)
		}
	}
	slices.Sort(reasons)
	r.reasons = strings.Join(slices.Compact(reasons), ", ")
	if trapped := w.takeTrapped(); len(trapped) > 0 {
		r.trapped = len(trapped)
		t.Errorf("%d connections to denied addresses, as %s", len(trapped), trapped[0])
	}
	return r
}

// ofShop matches the name of an object of shop.
var ofShop = regexp.MustCompile(`\bshop/[a-z]`)

// namesShop reports whether manifests refer to an object of shop.
func namesShop(manifests string) bool {
	return strings.Contains(manifests, "namespace: "+shop) || strings.Contains(manifests, shop+":") || strings.Contains(manifests, shop+"/")
}

// report prints a table of the results of all attacks.
func report(t *testing.T, rows []row) {
	t.Helper()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "attack\tdiagnostics\tchange p50\tmax\trequests\tfailed\tlet in\twhole loads\tmemory")
	for _, r := range rows {
		name := r.attack
		if r.failed {
			name = "FAILED: " + name
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d MiB\n", name, r.reasons, r.middle.Round(time.Millisecond), r.longest.Round(time.Millisecond),
			r.sent, r.failures, r.letIn, r.loads, r.memory)
	}
	_ = table.Flush()
	t.Log("\n" + text.String())
	if path := os.Getenv("TENANTS_REPORT"); path != "" {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
