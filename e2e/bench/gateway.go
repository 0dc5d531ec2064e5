package bench

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Way is the way in which Kong gets changes.
type Way string

// The ways.
const (
	Delta Way = "delta" // what changed alone
	Full  Way = "full"  // everything
)

const readyWithin = 10 * time.Minute

// gateway is a running one.
type gateway struct {
	pod     *pod.Pod
	ready   time.Duration // from its start
	workers []string
}

// startGateway starts a gateway that uses the way, and waits until it is ready.
func startGateway(t testing.TB, credentials lab.Credentials, way Way) (*gateway, error) {
	kong := map[string]string{
		// With reuseport each worker gets its share of connections. Workers that share a socket do not: the kernel wakes
		// the same one as long as that keeps up.
		"NGINX_PROXY_LISTEN": fmt.Sprintf("%[1]s:80 reuseport backlog=16384; listen %[1]s:443 ssl reuseport backlog=16384", address(kongAt)),
		// With Kong's memory for streams, as in kong.conf.
		"STREAM_LISTEN": fmt.Sprintf("%[1]s:20040 reuseport, %[1]s:20060 ssl reuseport, %[1]s:20080 udp reuseport", address(kongAt)),
		// This sets the header that identifies the worker.
		"NGINX_PROXY_ADD_HEADER": workerHeader + " $pid always",
	}
	if way == Full {
		kong["PLUGINS"] = "bundled" // as Kong's own image has it
	}
	g := &gateway{pod: pod.Prepare(t, pod.Options{Credentials: credentials, Kong: kong, Name: "gateway-0"})}
	begun := time.Now()
	g.pod.Run()
	for {
		err := g.pod.Ready()
		g.ready = time.Since(begun)
		if err == nil {
			break
		}
		if g.ready > readyWithin {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, pid := range g.pod.Workers() {
		g.workers = append(g.workers, strconv.Itoa(pid))
	}
	return g, nil
}

// kubeSync returns the process id of kube-sync.
func (g *gateway) kubeSync() int {
	pids := g.pod.KubeSyncs()
	if len(pids) == 0 {
		return 0
	}
	return pids[len(pids)-1]
}

// kong returns the process ids of the master and the workers.
func (g *gateway) kong() []int {
	workers := g.pod.Workers()
	if len(workers) == 0 {
		return nil
	}
	return append(workers, int(field(workers[0], "PPid:")))
}

// field returns a number in a process's status.
func field(pid int, name string) int64 {
	raw, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}

// Memory is resident memory in bytes.
type Memory struct{ KubeSync, KubeSyncPeak, Kong int64 }

// memory returns the memory of kube-sync and of all processes of Kong. Shared memory counts for each process.
func (g *gateway) memory() Memory {
	m := Memory{KubeSync: field(g.kubeSync(), "VmRSS:") << 10, KubeSyncPeak: field(g.kubeSync(), "VmHWM:") << 10}
	for _, pid := range g.kong() {
		m.Kong += field(pid, "VmRSS:") << 10
	}
	return m
}

// used returns the processor time that processes have used.
func used(pids ...int) time.Duration {
	const perSecond = 100 // USER_HZ, which is the same on all that Go runs on
	var ticks int64
	for _, pid := range pids {
		raw, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		// The name, in parentheses, may have spaces.
		_, rest, _ := strings.Cut(string(raw), ") ")
		const user, system = 11, 12
		if fields := strings.Fields(rest); len(fields) > system {
			u, _ := strconv.ParseInt(fields[user], 10, 64)
			s, _ := strconv.ParseInt(fields[system], 10, 64)
			ticks += u + s
		}
	}
	return time.Duration(ticks) * time.Second / perSecond
}

// Idle is the use of processor time without changes and requests, as a share of one core.
type Idle struct{ KubeSync, Kong float64 }

func (g *gateway) idle(during time.Duration) Idle {
	kubeSync, kong, begun := used(g.kubeSync()), used(g.kong()...), time.Now()
	time.Sleep(during)
	took := time.Since(begun).Seconds()
	return Idle{
		KubeSync: (used(g.kubeSync()) - kubeSync).Seconds() / took,
		Kong:     (used(g.kong()...) - kong).Seconds() / took,
	}
}

// awaitIdle waits until Kong and kube-sync are idle, so that the next measurement does not include work for the previous
// one. It gives up after some time.
func (g *gateway) awaitIdle(quiet, within time.Duration) {
	const most = 0.3 // of one core
	all := append(g.kong(), g.kubeSync())
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		before, begun := used(all...), time.Now()
		time.Sleep(quiet)
		if (used(all...) - before).Seconds() <= most*time.Since(begun).Seconds() {
			return
		}
	}
}

// acknowledged is kube-sync's own measurement of changes, by kind of object.
type acknowledged map[string]Acknowledged

// Acknowledged is how long changes waited for Kong's acknowledgement.
type Acknowledged struct {
	Count   int
	Seconds float64 // in all
}

const acknowledgedMetric = "ingress_controller_change_to_acknowledged_seconds_"

func (g *gateway) acknowledged() (acknowledged, error) {
	response, err := http.Get("http://" + g.pod.Metrics + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("read kube-sync's metrics: %w", err)
	}
	defer response.Body.Close()
	all := acknowledged{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		rest, ours := strings.CutPrefix(lines.Text(), acknowledgedMetric)
		name, rest, _ := strings.Cut(rest, `{kind="`)
		kind, number, ok := strings.Cut(rest, `"} `)
		value, err := strconv.ParseFloat(number, 64)
		if !ours || !ok || err != nil {
			continue
		}
		a := all[kind]
		switch name {
		case "sum":
			a.Seconds = value
		case "count":
			a.Count = int(value)
		}
		all[kind] = a
	}
	return all, nil
}

// since returns the difference to an earlier measurement.
func (a acknowledged) since(before acknowledged) acknowledged {
	fresh := acknowledged{}
	for kind, now := range a {
		if n := now.Count - before[kind].Count; n > 0 {
			fresh[kind] = Acknowledged{Count: n, Seconds: now.Seconds - before[kind].Seconds}
		}
	}
	return fresh
}
