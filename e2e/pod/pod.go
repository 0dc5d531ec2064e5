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

	"github.com/kube-sync/kube-sync/e2e/freeport"
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

	installed *installed // on an existing cluster; what is above is then empty
}

// settingPrefix is what kube-sync's settings are called by as Kong's.
const settingPrefix = "KONG_PLUGINSERVER_KUBE_SYNC_"

// Options are what differs from pod to pod.
type Options struct {
	// Credentials of the pod's ServiceAccount; an installed gateway takes its name, and
	// the token from its own cluster. A gateway that follows MANIFESTS needs none.
	Credentials lab.Credentials
	// Settings of kube-sync, such as "WATCH_NAMESPACE".
	Settings map[string]string
	// Kong has settings of Kong, such as "STREAM_LISTEN"; an installed gateway has its own.
	Kong map[string]string
	// Name of the pod; an installed gateway has its own.
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

// Prepare gives a gateway that is yet to be run. On an existing cluster it runs, and gets
// the settings.
func Prepare(t testing.TB, o Options) *Pod {
	t.Helper()
	if lab.External() {
		return prepareInstalled(t, o)
	}
	mountCredentials(t, o.Credentials)
	dir, err := os.MkdirTemp("", "pod") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	p := &Pod{
		t: t, Prefix: dir,
		HTTP: freeport.Address(t), HTTPS: freeport.Address(t), Health: freeport.Address(t), Metrics: freeport.Address(t),
	}
	p.kong, _ = exec.LookPath("kong")
	lab.Met(t, Gateway())
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
		// Workers are the user that starts Kong, as in the image: the prefix is nobody else's.
		"KONG_NGINX_USER=root root",
		// Where the image has the companion is this machine's to say.
		"KONG_LUA_PACKAGE_PATH=" + filepath.Join(conf(p.t), "lua/?.lua") + ";;",
		"KONG_PROXY_LISTEN=" + p.HTTP + ", " + p.HTTPS + " http2 ssl",
		// No ports for Gateways, unless a test has some.
		"KONG_NGINX_PROXY_LISTEN=unix:" + p.socket("gateways.sock"),
		"KONG_STREAM_LISTEN=off",
		"KONG_STATUS_LISTEN=" + freeport.Address(p.t),
		"KONG_ADMIN_LISTEN=" + freeport.Address(p.t),
		"KONG_NGINX_ADMIN_LISTEN=unix:" + p.AdminSocket(),
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + kubeSync + " -kong-prefix " + p.Prefix,
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + kubeSync + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + p.Health,
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=" + p.Metrics,
		"KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=" + freeport.Address(p.t),
		"KONG_PLUGINSERVER_KUBE_SYNC_POD_NAME=" + o.Name,
		"KONG_NGINX_DAEMON=off",
		"KONG_PROXY_ERROR_LOG=/dev/stderr",
		"KONG_ADMIN_ERROR_LOG=/dev/stderr",
		"KONG_PROXY_ACCESS_LOG=off",
	}
	if o.Credentials.Host != "" {
		env = append(env, settingPrefix+"APISERVER_HOST=https://"+net.JoinHostPort(o.Credentials.Host, o.Credentials.Port))
	}
	for name, value := range o.Settings {
		env = append(env, settingPrefix+name+"="+value)
	}
	for name, value := range o.Kong {
		env = append(env, "KONG_"+name+"="+value)
	}
	return env
}

// AdminSocket is the path of the Admin API's socket.
func (p *Pod) AdminSocket() string { return p.socket("admin.sock") }

// socket is a path at which a killed Kong leaves nothing: it clears that directory when it
// starts anew.
func (p *Pod) socket(name string) string { return filepath.Join(p.Prefix, "sockets", name) }

// Run starts the gateway, anew after Stop or Kill.
func (p *Pod) Run() {
	p.t.Helper()
	if p.installed != nil {
		return
	}
	conf := filepath.Join(conf(p.t), "kong.conf")
	if p.kong != "" {
		p.cmd = exec.Command(p.kong, "start", "-c", conf)
	} else {
		p.cmd = exec.Command(lab.Executable(p.t, StandIn), "-c", conf)
	}
	// What an entrypoint does after a container was killed.
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
	if p.installed != nil {
		p.installed.waitReady(p.t.Context())
		lab.Met(p.t, p.installed.describe(p.HTTP))
		return
	}
	lab.Eventually(p.t, 2*time.Minute, p.Ready)
}

// Ready is nil when kube-sync answers that it is.
func (p *Pod) Ready() error {
	if p.installed != nil {
		return p.installed.ready(p.t.Context())
	}
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
func (p *Pod) Stop() {
	p.needProcesses()
	p.end(syscall.SIGTERM)
}

// Kill ends the gateway's processes as the kernel does when memory runs out.
func (p *Pod) Kill() {
	p.needProcesses()
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
func (p *Pod) Reload() error {
	p.needProcesses()
	return syscall.Kill(p.master(), syscall.SIGHUP)
}

// NeedKong skips a test about Kong's own processes where there is no Kong.
func (p *Pod) NeedKong() {
	p.t.Helper()
	p.needProcesses()
	if p.kong == "" {
		lab.Skip(p.t, "needs a real kong on PATH")
	}
}

// NeedPlugins skips a test of what Kong's plugins do where there is the stand-in.
func NeedPlugins(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("kong"); err != nil && !lab.External() {
		lab.Skip(t, "needs a real kong on PATH")
	}
}

// NeedSeveral skips a test with several gateways where there is one that is installed.
func NeedSeveral(t testing.TB) {
	t.Helper()
	if lab.External() {
		lab.Skip(t, "needs several gateways with settings of their own, and one is installed")
	}
}

// needProcesses skips a test of what only processes on this machine can be done to.
func (p *Pod) needProcesses() {
	p.t.Helper()
	if p.installed != nil {
		lab.Skip(p.t, inContainers)
	}
}

// Admin is a client of the Admin API; any host will do. In a container nobody else
// reaches it.
func (p *Pod) Admin() *http.Client {
	p.needProcesses()
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", p.AdminSocket())
		},
	}}
}

// Log is all that the gateway has written so far.
func (p *Pod) Log() (string, error) {
	if p.installed != nil {
		return p.installed.log(p.t.Context())
	}
	raw, err := os.ReadFile(p.log.Name())
	return string(raw), err
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

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return last(string(raw))
}

// last is as much of a log as is worth reading.
func last(log string) string { return log[max(0, len(log)-6000):] }

// conf is the directory kong-conf, which is above the package of the tests.
func conf(t testing.TB) string {
	t.Helper()
	above, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; above != "/"; above = filepath.Dir(above) {
		dir := filepath.Join(above, "kong-conf")
		if _, err := os.Stat(filepath.Join(dir, "kong.conf")); err == nil {
			return dir
		}
	}
	t.Fatal("no directory kong-conf is above that of the tests")
	return ""
}
