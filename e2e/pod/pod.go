package pod

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// Images under which lab.Main has built the executables.
const (
	KubeSync = "kube-sync"
	StandIn  = "kube-sync/standin"
)

// Programs are what TestMain hands to lab.Main.
var Programs = []lab.Program{
	{Image: KubeSync, Package: "github.com/kube-sync/kube-sync/plugin"},
	{Image: StandIn, Package: "github.com/kube-sync/kube-sync/e2e/standin/cmd/standin"},
}

// Pod is a running gateway.
type Pod struct {
	// Prefix is Kong's directory.
	Prefix string
	// HTTP, HTTPS and Health are addresses, "host:port".
	HTTP, HTTPS, Health, Metrics string

	t    testing.TB
	env  []string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
	kong string
}

// Options are what differs from pod to pod.
type Options struct {
	// Credentials of the pod's ServiceAccount.
	Credentials lab.Credentials
	// Settings of kube-sync, such as "WATCH_NAMESPACE".
	Settings map[string]string
	// Name of the pod.
	Name string
}

// Gateway tells which gateway tests meet, for people.
func Gateway() string {
	kong, err := exec.LookPath("kong")
	if err != nil {
		return "the stand-in gateway, as there is no kong on PATH"
	}
	out, err := exec.Command(kong, "version").Output()
	if err != nil {
		return "kong, whose version could not be told: " + err.Error()
	}
	return "Kong " + strings.TrimSpace(string(out))
}

// Start starts a gateway and waits until it is ready. It ends with the test.
func Start(t testing.TB, o Options) *Pod {
	t.Helper()
	p := Prepare(t, o)
	p.Run()
	p.WaitReady()
	return p
}

// Prepare gives a gateway that is yet to be run.
func Prepare(t testing.TB, o Options) *Pod {
	t.Helper()
	mountCredentials(t, o.Credentials)
	dir, err := os.MkdirTemp("", "pod") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	p := &Pod{
		t: t, Prefix: dir,
		HTTP: freeAddress(t), HTTPS: freeAddress(t), Health: freeAddress(t), Metrics: freeAddress(t),
	}
	p.kong, _ = exec.LookPath("kong")
	note(t, summaryGateway+Gateway())
	log, err := os.Create(filepath.Join(dir, "pod.log"))
	if err != nil {
		t.Fatal(err)
	}
	p.log = log
	p.env = p.environ(o)
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", tail(p.log.Name()))
		}
		_ = log.Close()
		_ = os.RemoveAll(dir)
	})
	return p
}

// environ overrides what a machine with several pods cannot leave to kong.conf:
// addresses and directories.
func (p *Pod) environ(o Options) []string {
	kubeSync := lab.Executable(p.t, KubeSync)
	env := []string{
		"KONG_PREFIX=" + p.Prefix,
		"KONG_PROXY_LISTEN=" + p.HTTP + ", " + p.HTTPS + " http2 ssl",
		"KONG_STATUS_LISTEN=" + freeAddress(p.t),
		"KONG_ADMIN_LISTEN=" + freeAddress(p.t),
		"KONG_NGINX_ADMIN_LISTEN=unix:" + p.AdminSocket(),
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + kubeSync + " -kong-prefix " + p.Prefix,
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + kubeSync + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + p.Health,
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=" + p.Metrics,
		"KONG_PLUGINSERVER_KUBE_SYNC_APISERVER_HOST=https://" + net.JoinHostPort(o.Credentials.Host, o.Credentials.Port),
		"KONG_PLUGINSERVER_KUBE_SYNC_POD_NAME=" + o.Name,
		"KONG_NGINX_DAEMON=off",
		"KONG_PROXY_ERROR_LOG=/dev/stderr",
		"KONG_ADMIN_ERROR_LOG=/dev/stderr",
		"KONG_PROXY_ACCESS_LOG=off",
	}
	for name, value := range o.Settings {
		env = append(env, "KONG_PLUGINSERVER_KUBE_SYNC_"+name+"="+value)
	}
	return env
}

// AdminSocket is the path of the Admin API's socket.
func (p *Pod) AdminSocket() string { return filepath.Join(p.Prefix, "admin.sock") }

// Run starts the gateway, anew after Stop or Kill.
func (p *Pod) Run() {
	p.t.Helper()
	conf, err := filepath.Abs("../kong-conf/kong.conf")
	if err != nil {
		p.t.Fatal(err)
	}
	if p.kong != "" {
		p.cmd = exec.Command(p.kong, "start", "-c", conf)
	} else {
		p.cmd = exec.Command(lab.Executable(p.t, StandIn), "-c", conf)
	}
	// What an entrypoint does after a container was killed.
	_ = os.Remove(p.AdminSocket())
	_ = os.Remove(p.pidFile())
	p.cmd.Env = append(os.Environ(), p.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done, cmd := make(chan struct{}), p.cmd
	p.done = done
	go func() { _ = cmd.Wait(); close(done) }()
}

// WaitReady waits until kube-sync says that it is ready.
func (p *Pod) WaitReady() {
	p.t.Helper()
	lab.Eventually(p.t, 2*time.Minute, p.Ready)
}

// Ready is nil when kube-sync answers that it is.
func (p *Pod) Ready() error {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + p.Health + "/readyz")
	if err != nil {
		return fmt.Errorf("%w; log:\n%s", err, tail(p.log.Name()))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var reason bytes.Buffer
		_, _ = reason.ReadFrom(answer.Body)
		return fmt.Errorf("/readyz answers %s: %s; log:\n%s", answer.Status, reason.String(), tail(p.log.Name()))
	}
	return nil
}

// Stop ends the gateway as a container runtime does.
func (p *Pod) Stop() { p.end(syscall.SIGTERM) }

// Kill ends the gateway's processes as the kernel does when memory runs out.
func (p *Pod) Kill() {
	for _, pid := range p.Workers() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	p.end(syscall.SIGKILL)
}

func (p *Pod) end(signal syscall.Signal) {
	if p.cmd == nil {
		return
	}
	if err := syscall.Kill(p.master(), signal); err != nil {
		_ = p.cmd.Process.Signal(signal)
	}
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}

// Reload has Kong start new workers in place of the old ones.
func (p *Pod) Reload() error { return syscall.Kill(p.master(), syscall.SIGHUP) }

// NeedKong skips a test about Kong's own processes where there is no Kong.
func (p *Pod) NeedKong() {
	p.t.Helper()
	if p.kong == "" {
		note(p.t, summarySkipped+p.t.Name())
		p.t.Skip("needs a real kong on PATH")
	}
}

// Admin is a client of the Admin API; any host will do.
func (p *Pod) Admin() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", p.AdminSocket())
		},
	}}
}

func (p *Pod) pidFile() string { return filepath.Join(p.Prefix, "pids", "nginx.pid") }

// master is nginx's first process, or the stand-in.
func (p *Pod) master() int {
	if raw, err := os.ReadFile(p.pidFile()); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil {
			return pid
		}
	}
	return p.cmd.Process.Pid
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-6000):])
}
