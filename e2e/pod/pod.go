package pod

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// Names of the programs for lab.Main and Executable.
const (
	KubeSync = "kube-sync"
	StandIn  = "kube-sync/standin"
)

// Programs are the programs that TestMain passes to lab.Main.
var Programs = []lab.Program{
	{Image: KubeSync, Package: "github.com/kube-sync/kube-sync/plugin"},
	{Image: StandIn, Package: "github.com/kube-sync/kube-sync/e2e/standin/cmd/standin"},
}

// Pod is a running gateway.
type Pod struct {
	// Prefix is Kong's directory.
	Prefix string
	// Addresses, "host:port".
	HTTP, HTTPS, Health, Metrics string

	t       testing.TB
	env     []string
	process *kongtest.Process
	log     *os.File

	installed *installed // on an existing cluster; all other fields but HTTP and HTTPS are then empty
}

// settingPrefix is the prefix of kube-sync's settings in Kong's environment.
const settingPrefix = "KONG_PLUGINSERVER_KUBE_SYNC_"

// Options differ from pod to pod.
type Options struct {
	// Credentials of the pod's ServiceAccount. An installed gateway uses only the account's name.
	// A gateway that follows MANIFESTS needs none.
	Credentials lab.Credentials
	// Settings of kube-sync by name, such as WATCH_NAMESPACE.
	Settings map[string]string
	// Kong has settings of Kong by name, such as STREAM_LISTEN. An installed gateway keeps its own.
	Kong map[string]string
	// Name of the pod. An installed gateway keeps its own.
	Name string
}

// Gateway says for people which gateway tests meet.
func Gateway() string {
	if !kongtest.Installed() {
		return "the stand-in gateway, as there is no kong on PATH"
	}
	version, err := kongtest.Version()
	if err != nil {
		return "Kong of an unknown version: " + err.Error()
	}
	return "Kong " + version
}

// Start starts a gateway and waits until it is ready. It ends with the test.
func Start(t testing.TB, o Options) *Pod {
	t.Helper()
	p := Prepare(t, o)
	p.Run()
	p.WaitReady()
	return p
}

// Prepare returns a gateway that does not run yet. An installed gateway runs, and gets the
// settings.
func Prepare(t testing.TB, o Options) *Pod {
	t.Helper()
	if lab.External() {
		return prepareInstalled(t, o)
	}
	kongtest.NeedNginx(t)
	mountCredentials(t, o.Credentials)
	dir, err := os.MkdirTemp("", "pod") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	p := &Pod{
		t: t, Prefix: dir,
		HTTP: freeport.Address(t), HTTPS: freeport.Address(t), Health: freeport.Address(t), Metrics: freeport.Address(t),
	}
	lab.Met(t, Gateway())
	log, err := os.Create(filepath.Join(dir, "pod.log"))
	if err != nil {
		t.Fatal(err)
	}
	p.log = log
	p.env = p.environ(o)
	t.Cleanup(func() {
		p.Stop()
		if crash := crashOf(log.Name()); crash != "" {
			t.Errorf("kube-sync crashed:\n%s", crash)
		}
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", tail(p.log.Name()))
		}
		_ = log.Close()
		_ = os.RemoveAll(dir)
	})
	return p
}

// environ returns settings in place of those of kong.conf that several pods on one machine cannot
// share: addresses and directories.
func (p *Pod) environ(o Options) []string {
	kubeSync := lab.Executable(p.t, KubeSync)
	env := []string{
		"KONG_PREFIX=" + p.Prefix,
		// Workers run as the user that starts Kong, as in the image: other users cannot read the prefix.
		"KONG_NGINX_USER=root root",
		"KONG_LUA_PACKAGE_PATH=" + kongtest.LuaPath(p.t),
		"KONG_PROXY_LISTEN=" + p.HTTP + ", " + p.HTTPS + " http2 ssl",
		// No ports for Gateways, unless a test sets some.
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

// AdminSocket returns the path of the Admin API's socket.
func (p *Pod) AdminSocket() string { return p.socket("admin.sock") }

// socket returns a path in the directory that is cleared before Kong starts, because a killed Kong
// leaves its sockets.
func (p *Pod) socket(name string) string { return filepath.Join(p.Prefix, "sockets", name) }

// Run starts the gateway, also again after Stop or Kill.
func (p *Pod) Run() {
	p.t.Helper()
	if p.installed != nil {
		return
	}
	conf, env := filepath.Join(kongtest.ConfDir(p.t), "kong.conf"), append(os.Environ(), p.env...)
	var err error
	if kongtest.Installed() {
		p.process, err = kongtest.Config{Conf: conf, Prefix: p.Prefix, Env: env, Log: p.log}.Start()
	} else {
		cmd := exec.Command(lab.Executable(p.t, StandIn), "-c", conf)
		cmd.Env, cmd.Stdout, cmd.Stderr = env, p.log, p.log
		p.process, err = kongtest.Run(cmd)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// WaitReady waits until kube-sync is ready.
func (p *Pod) WaitReady() {
	p.t.Helper()
	if p.installed != nil {
		p.installed.waitReady(p.t.Context())
		lab.Met(p.t, p.installed.describe(p.HTTP))
		return
	}
	eventually.Nil(p.t, 2*time.Minute, p.Ready)
}

// Ready returns nil if kube-sync is ready, and otherwise why not.
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

// PreStop runs the preStop hook of kong-conf/install.yaml without its last part, by which Kong ends after a while.
func (p *Pod) PreStop() {
	p.t.Helper()
	p.needProcesses()
	install, err := os.ReadFile(filepath.Join(kongtest.ConfDir(p.t), "install.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	hook := regexp.MustCompile(`- (touch .*); exec kong quit `).FindSubmatch(install)
	if hook == nil {
		p.t.Fatal("the preStop hook of install.yaml has another form")
	}
	cmd := exec.Command("sh", "-c", string(hook[1]))
	cmd.Env = append(os.Environ(), "KONG_PREFIX="+p.Prefix)
	if output, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("preStop hook: %v\n%s", err, output)
	}
}

// Stop ends the gateway as a container runtime does.
func (p *Pod) Stop() {
	p.needProcesses()
	p.end(syscall.SIGTERM)
}

// Kill kills the gateway's processes, as the kernel does when memory runs out.
func (p *Pod) Kill() {
	p.needProcesses()
	for _, pid := range p.Workers() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	p.end(syscall.SIGKILL)
}

func (p *Pod) end(signal syscall.Signal) {
	if p.process != nil {
		p.process.End(signal, 20*time.Second)
		p.process = nil
	}
}

// Reload makes Kong start new workers in place of the old ones.
func (p *Pod) Reload() {
	p.needProcesses()
	p.process.Signal(syscall.SIGHUP)
}

// NeedKong skips a test of Kong's own processes if the gateway is not a Kong on this machine.
func (p *Pod) NeedKong() {
	p.t.Helper()
	p.needProcesses()
	if !kongtest.Installed() {
		lab.Skip(p.t, "needs a real kong on PATH")
	}
}

// NeedPlugins skips a test of Kong's plugins if the gateway is the stand-in.
func NeedPlugins(t testing.TB) {
	t.Helper()
	if !kongtest.Installed() && !lab.External() {
		lab.Skip(t, "needs a real kong on PATH")
	}
}

// NeedSeveral skips a test with several gateways on an existing cluster, which has one.
func NeedSeveral(t testing.TB) {
	t.Helper()
	if lab.External() {
		lab.Skip(t, "needs several gateways with different settings, and one is installed")
	}
}

// needProcesses skips a test that needs the gateway's processes on this machine.
func (p *Pod) needProcesses() {
	p.t.Helper()
	if p.installed != nil {
		lab.Skip(p.t, inContainers)
	}
}

// Admin returns a client of the Admin API, for URLs with any host. The socket in a container cannot
// be reached.
func (p *Pod) Admin() *http.Client {
	p.needProcesses()
	return kongtest.Admin(p.AdminSocket())
}

// Effective returns nil if all of Kong's workers use the configuration that Kong holds. It returns nil for the stand-in,
// which has no workers, and for an installed gateway, whose Admin API cannot be reached.
func (p *Pod) Effective() error {
	if p.installed != nil || !kongtest.Installed() {
		return nil
	}
	answer, err := p.Admin().Get("http://kong/kube-sync/delta")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var status struct{ Ready bool }
	if err := json.NewDecoder(answer.Body).Decode(&status); err != nil {
		return err
	}
	if !status.Ready {
		return errors.New("some of Kong's workers do not use the newest configuration")
	}
	return nil
}

// Log returns everything that the gateway has logged.
func (p *Pod) Log() (string, error) {
	if p.installed != nil {
		return p.installed.log(p.t.Context())
	}
	raw, err := os.ReadFile(p.log.Name())
	return string(raw), err
}

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return last(string(raw))
}

// last returns the end of a log.
func last(log string) string { return log[max(0, len(log)-6000):] }

// crashOf returns the start of a crash of the Go runtime in a log, or "". Kong restarts kube-sync, so that nothing else
// may show it.
func crashOf(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	log := string(raw)
	for _, mark := range []string{"\npanic: ", "\nfatal error: "} {
		if at := strings.Index(log, mark); at >= 0 {
			return log[at:min(len(log), at+4000)]
		}
	}
	return ""
}
