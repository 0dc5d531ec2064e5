package attacks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// Addresses of the gateway's listeners, as in kong-conf/kong.conf.
const (
	podIP            = lab.HostIP // the only address of an interface that is not loopback
	httpPort         = "8000"
	httpsPort        = "8443"
	adminPort        = "8001"
	statusPort       = "8100"
	healthPort       = "10254"
	metricsPort      = "10255"
	relayPort        = "10264"
	streamPort       = "20040"
	secondStreamPort = "20041"
	datagramPort     = "20080"
)

// canaryVariable is in the environment of Kong's master.
const canaryVariable, canaryValue = "TENANTS_CANARY", "canary-of-the-environment"

// gateway is a Kong with kube-sync that follows a directory of manifests.
type gateway struct {
	*pod.Pod
	t         *testing.T
	manifests string
	processes []int // those that [gateway.given] counts
}

// startGateway starts a gateway with settings of kube-sync. The directory has its first manifests.
func startGateway(t *testing.T, manifests string, settings map[string]string) *gateway {
	t.Helper()
	all := map[string]string{
		"MANIFESTS": manifests, "LOG_FORMAT": "json", "POD_NAMESPACE": "kong",
		"HEALTH_PROBE_BIND_ADDRESS": ":" + healthPort, "METRICS_BIND_ADDRESS": ":" + metricsPort,
		"RELAY_BIND_ADDRESS": "127.0.0.1:" + relayPort,
	}
	for name, value := range settings {
		all[name] = value
	}
	t.Setenv(canaryVariable, canaryValue)
	p := pod.Prepare(t, pod.Options{Name: "gateway-0", Settings: all, Kong: map[string]string{
		"PROXY_LISTEN":     "0.0.0.0:" + httpPort + " reuseport backlog=16384, 0.0.0.0:" + httpsPort + " http2 ssl reuseport backlog=16384",
		"STREAM_LISTEN":    "0.0.0.0:" + streamPort + " reuseport, 0.0.0.0:" + secondStreamPort + " reuseport, 0.0.0.0:" + datagramPort + " udp reuseport",
		"ADMIN_LISTEN":     "127.0.0.1:" + adminPort,
		"STATUS_LISTEN":    "0.0.0.0:" + statusPort,
		"PROXY_ACCESS_LOG": "logs/access.log",
		"DNS_RESOLVER":     dnsAddress,

		"NGINX_HTTP_LUA_SHARED_DICT": roomForCounters,
	}})
	p.HTTP, p.HTTPS = gatewayIP+":"+httpPort, gatewayIP+":"+httpsPort
	p.Health, p.Metrics = podIP+":"+healthPort, podIP+":"+metricsPort
	p.Run()
	p.WaitReady()
	g := &gateway{Pod: p, t: t, manifests: manifests}
	g.processes = g.pids()
	return g
}

// given is the time that the machine has had for the gateway: the processor time of the gateway's
// processes and the idle time, divided by the number of processors. On an idle machine it passes as
// fast as the clock, and while other programs run it passes more slowly.
func (g *gateway) given() time.Duration {
	stat, _ := os.ReadFile("/proc/stat")
	lines := strings.Split(string(stat), "\n")
	ticks := number(strings.Fields(lines[0])[4]) // idle
	for _, pid := range g.processes {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, fields, ok := strings.Cut(string(stat), ") "); ok { // unless it has ended
			ticks += number(strings.Fields(fields)[11]) + number(strings.Fields(fields)[12])
		}
	}
	processors := 0
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "cpu") {
			processors++
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond / time.Duration(processors)
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// write replaces a file of manifests atomically. PREFIX stands for Kong's prefix.
func (g *gateway) write(name, manifests string) {
	g.t.Helper()
	path := filepath.Join(g.manifests, name+".yaml")
	if g.Pod != nil {
		manifests = strings.ReplaceAll(manifests, "PREFIX/", g.Prefix+"/")
	}
	if err := os.WriteFile(path+".new", []byte(manifests), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) remove(name string) {
	g.t.Helper()
	if err := os.Remove(filepath.Join(g.manifests, name+".yaml")); err != nil && !os.IsNotExist(err) {
		g.t.Fatal(err)
	}
}

// entities returns Kong's entities with a tag, without the times at which Kong
// wrote them. The keys are type and id.
func (g *gateway) entities(namespace string) (map[string]string, error) {
	all := map[string]string{}
	for _, kind := range []string{
		"services", "routes", "upstreams", "plugins", "consumers", "certificates", "snis", "ca_certificates", "vaults",
		"key-auths", "basic-auths", "jwts", "acls",
	} {
		for path := "/" + kind + "?size=1000"; path != ""; {
			var page struct {
				Data []map[string]any
				Next string
			}
			if err := g.ask(path, &page); err != nil {
				return nil, err
			}
			for _, entity := range page.Data {
				if !tagged(entity, "k8s-namespace:"+namespace) || tagged(entity, "k8s-name:"+changing) {
					continue
				}
				id := fmt.Sprint(entity["id"])
				delete(entity, "created_at")
				delete(entity, "updated_at")
				text, err := json.Marshal(entity)
				if err != nil {
					return nil, err
				}
				all[kind+" "+id] = string(text)
			}
			path = page.Next
		}
	}
	return all, nil
}

func tagged(entity map[string]any, tag string) bool {
	tags, _ := entity["tags"].([]any)
	return slices.Contains(tags, any(tag))
}

// ask reads JSON from the Admin API.
func (g *gateway) ask(path string, into any) error {
	answer, err := g.Admin().Get("http://kong" + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %.200s", path, answer.Status, body)
	}
	return json.Unmarshal(body, into)
}

// pids are the processes that no attack may end.
func (g *gateway) pids() []int { return append(g.Workers(), g.KubeSyncs()...) }

// resetPeak makes the kernel measure the peak memory of each process from now on.
func (g *gateway) resetPeak() {
	g.t.Helper()
	for _, pid := range g.pids() {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			g.t.Fatal(err)
		}
	}
}

// memory returns the sum of the memory of the gateway's processes in MiB: "VmRSS" is the current memory,
// "VmHWM" the peak.
func (g *gateway) memory(which string) int {
	sum := 0
	for _, pid := range g.pids() {
		raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			if value, ok := strings.CutPrefix(line, which+":"); ok {
				kib, _ := strconv.Atoi(strings.Fields(value)[0])
				sum += kib >> 10
			}
		}
	}
	return sum
}

// accessLog returns Kong's access log.
func (g *gateway) accessLog() string {
	g.t.Helper()
	text, err := os.ReadFile(filepath.Join(g.Prefix, "logs", "access.log"))
	if err != nil {
		g.t.Fatal(err)
	}
	return string(text)
}

// established is the kernel's code for the state of a connected socket.
const established = "01"

// connections counts the open sockets of this network namespace that have a port at one end.
func (g *gateway) connections(port string) (n int) {
	g.t.Helper()
	number, err := strconv.Atoi(port)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, table := range []string{"tcp", "udp"} {
		text, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			g.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			// The number of the socket, both ends, and the state.
			if fields := strings.Fields(line); fields[3] == established && strings.Contains(line, fmt.Sprintf(":%04X ", number)) {
				n++
			}
		}
	}
	return n
}

// diagnostic is what kube-sync logs about an object.
type diagnostic struct {
	Msg, Object, Reason, Message string
}

// log returns the gateway's log from an offset on.
func (g *gateway) log(since int) []byte {
	g.t.Helper()
	log, err := g.Log()
	if err != nil {
		g.t.Fatal(err)
	}
	return []byte(log)[min(since, len(log)):]
}

// diagnostics returns the diagnostics of objects in the log from an offset on.
func (g *gateway) diagnostics(since int) (all []diagnostic) {
	for _, d := range g.logged(since, "object has a fault", "object no longer has a fault") {
		over := d.Msg != "object has a fault"
		d.Msg = ""
		if !over {
			all = append(all, d)
		} else if i := slices.Index(all, d); i >= 0 {
			all = slices.Delete(all, i, i+1)
		}
	}
	return all
}

// logged returns kube-sync's lines with one of some messages in the log from an offset on.
func (g *gateway) logged(since int, messages ...string) (all []diagnostic) {
	g.t.Helper()
	for line := range bytes.Lines(g.log(since)) {
		var d diagnostic
		if bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &d) == nil && slices.Contains(messages, d.Msg) {
			all = append(all, d)
		}
	}
	return all
}

// conditions returns the output of "kube-sync check" for all manifests. It has the conditions of Gateway API, which
// the log lacks.
func (g *gateway) conditions() string {
	g.t.Helper()
	found, _ := exec.Command(lab.Executable(g.t, pod.KubeSync), "check", "-f", g.manifests, "-complete").CombinedOutput()
	return string(found)
}

// of returns the diagnostics of one object, "Kind namespace/name".
func of(object string, all []diagnostic) (its []diagnostic) {
	for _, d := range all {
		if d.Object == object {
			its = append(its, d)
		}
	}
	return its
}
