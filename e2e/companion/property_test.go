package companion

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestDeltasLeadWhereAFullLoadLeads applies random sequences of deltas of all kinds. After each,
// every worker uses it. From time to time the stored configuration is compared with that of a
// full load, after which the deltas go on.
func TestDeltasLeadWhereAFullLoadLeads(t *testing.T) {
	seed, steps := uint64(time.Now().UnixNano()), 120
	if s, err := strconv.ParseUint(os.Getenv("COMPANION_SEED"), 10, 64); err == nil {
		seed = s
	}
	if n, err := strconv.Atoi(os.Getenv("COMPANION_STEPS")); err == nil {
		steps = n
	}
	t.Logf("COMPANION_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	k := start(t)
	now := newWorld(t, k, startBackends(t, 5))
	k.load(now.config())
	checkWorld(k, random, now, now)
	for step := range steps {
		next := now.clone()
		for range 1 + random.IntN(4) {
			mutate(random, next)
		}
		d := difference(now.config(), next.config())
		k.apply(d)
		checkWorld(k, random, now, next)
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
		if now = next; step%20 == 19 {
			deltas := k.stored()
			k.load(now.config())
			sameStored(t, deltas, k.stored())
			checkWorld(k, random, now, now)
		}
	}
}

// mutate makes one random change.
func mutate(random *rand.Rand, w *world) {
	name := fmt.Sprintf("app%d", random.IntN(8))
	a, ok := w.apps[name]
	if !ok {
		w.apps[name] = app{weights: weights(random), algorithm: "round-robin", retries: 1, priority: 1}
		return
	}
	a.weights = maps.Clone(a.weights)
	switch random.IntN(20) {
	case 0, 1:
		delete(w.apps, name)
		for i := range w.streams {
			if w.streams[i] == name {
				w.streams[i] = ""
			}
		}
		return
	case 2, 3, 4:
		a.weights = weights(random)
	case 5:
		a.weights = map[int]int{random.IntN(5): 10 * random.IntN(2)}
	case 6:
		a.algorithm = []string{"round-robin", "least-connections", "consistent-hashing", "latency"}[random.IntN(4)]
	case 7:
		a.healthy = !a.healthy
	case 8:
		a.retries++
	case 9:
		a.disabled = !a.disabled
	case 10:
		a.classic = !a.classic
	case 11:
		a.header = []string{"", "one", "two"}[random.IntN(3)]
	case 12:
		a.added = []string{"", "this", "that"}[random.IntN(3)]
	case 13:
		a.auth = []string{"", "key", "basic"}[random.IntN(3)]
	case 14:
		a.group = []string{"", "staff"}[random.IntN(2)]
	case 15:
		a.priority++
	case 16:
		w.streams[random.IntN(len(w.streams))] = []string{name, ""}[random.IntN(2)]
	case 17, 18:
		changePerson(w, random)
	case 19:
		sni := []string{"one.test", "two.test", "*.wild.test"}[random.IntN(3)]
		if _, ok := w.certs[sni]; ok && random.IntN(3) == 0 {
			delete(w.certs, sni)
		} else {
			w.certs[sni] = random.IntN(len(w.tls))
		}
	}
	w.apps[name] = a
}

func weights(random *rand.Rand) map[int]int {
	chosen := map[int]int{}
	for _, index := range random.Perm(5)[:1+random.IntN(4)] {
		chosen[index] = 10 * (1 + random.IntN(3))
	}
	return chosen
}

func changePerson(w *world, random *rand.Rand) {
	name := fmt.Sprintf("person%d", random.IntN(3))
	p, ok := w.people[name]
	switch random.IntN(5) {
	case 0:
		delete(w.people, name)
		return
	case 1:
		p.group = []string{"", "staff"}[random.IntN(2)]
	case 2:
		// another person's key, so that a unique value moves within a delta
		other := fmt.Sprintf("person%d", random.IntN(3))
		if q, known := w.people[other]; known && ok {
			p.key, q.key = q.key, p.key
			w.people[other] = q
			if other == name {
				return
			}
		}
	default:
		p.key, p.password = fmt.Sprintf("key%d", random.IntN(1e9)), fmt.Sprintf("pass%d", random.IntN(1e9))
	}
	if p.key == "" {
		p.key, p.password = fmt.Sprintf("key%d", random.IntN(1e9)), "secret"
	}
	w.people[name] = p
}

// checkWorld sends requests for everything that changed, and for some of the rest.
func checkWorld(k *kong, random *rand.Rand, was, now *world) {
	k.t.Helper()
	for i := range 8 {
		name := fmt.Sprintf("app%d", i)
		before, after := fmt.Sprint(was.wants(name)), fmt.Sprint(now.wants(name))
		if before == after && random.IntN(4) > 0 {
			continue
		}
		for _, w := range now.wants(name) {
			k.answers(w)
		}
	}
	for sni, asked := range map[string]string{"one.test": "one.test", "two.test": "two.test", "*.wild.test": "any.wild.test"} {
		serial := ""
		if number, ok := now.certs[sni]; ok {
			serial = strconv.Itoa(number)
		}
		if was.certs[sni] != now.certs[sni] || random.IntN(4) == 0 {
			k.shows(asked, serial)
		}
	}
	for i, port := range now.ports {
		if !slices.Equal(sorted(was.streamBackends(i)), sorted(now.streamBackends(i))) || random.IntN(4) == 0 {
			k.leads(port, now.streamBackends(i))
		}
	}
}

func sorted(ports []int) []int { return slices.Sorted(slices.Values(ports)) }
