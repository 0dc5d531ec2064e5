// Package kongtest starts a real Kong, for tests and for the demo.
package kongtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/freeport"
)

const (
	readyWithin = 5 * time.Minute
	endWithin   = 2 * time.Minute
	logLines    = 40
)

// Options are what differs from test to test.
type Options struct {
	// Conf is the path of a kong.conf. Without one, Kong has no database, one worker and little memory.
	Conf string
	// Settings are further settings, as KONG_NAME=value. They override those of the package.
	Settings []string
	// Prefix is Kong's directory. If it is empty, the Kong gets a temporary one.
	Prefix string
	// Nice gives Kong a lower priority than the test.
	Nice bool
}

// Kong is a real Kong. It ends with the test.
type Kong struct {
	Config
	// Proxy is the address of the proxy, "host:port", unless Settings have another one.
	Proxy string

	t       testing.TB
	process *Process
}

// Need skips the test where no kong is on PATH, and in short mode. It ends the test at once, with the reason, where Kong
// cannot start its nginx.
func Need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	if !Installed() {
		t.Skip("no kong is on PATH: this is not tested against a real one")
	}
	NeedNginx(t)
}

// Start starts a Kong and waits until it is ready. See Need for where no Kong can be started.
func Start(t testing.TB, o Options) *Kong {
	t.Helper()
	k := New(t, o)
	k.Start()
	return k
}

// New returns a Kong that is not started. See Need for where no Kong can be started.
func New(t testing.TB, o Options) *Kong {
	t.Helper()
	Need(t)
	if o.Prefix == "" {
		prefix, err := os.MkdirTemp("", "kong") // t.TempDir is too long for the path of a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(prefix) })
		o.Prefix = prefix
	}
	log, err := os.Create(filepath.Join(o.Prefix, "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	k := &Kong{t: t, Proxy: freeport.Address(t), Config: Config{Conf: o.Conf, Prefix: o.Prefix, Log: log, Nice: o.Nice}}
	k.Env = append(os.Environ(),
		"KONG_PREFIX="+k.Prefix,
		"KONG_NGINX_USER=root root", // as in the image, the user that starts Kong: nobody else can read the prefix
		"KONG_LUA_PACKAGE_PATH="+LuaPath(t),
		"KONG_PROXY_LISTEN="+k.Proxy+" reuseport", "KONG_ADMIN_LISTEN="+freeport.Address(t), "KONG_NGINX_ADMIN_LISTEN=unix:"+k.Socket(),
	)
	if o.Conf == "" {
		k.Env = append(k.Env, "KONG_DATABASE=off", "KONG_ROUTER_FLAVOR=expressions", "KONG_ANONYMOUS_REPORTS=off",
			"KONG_STATUS_LISTEN=off", "KONG_ADMIN_GUI_LISTEN=off",
			"KONG_NGINX_WORKER_PROCESSES=1", "KONG_MEM_CACHE_SIZE=16m", "KONG_LMDB_MAP_SIZE=64m")
	}
	k.Env = append(k.Env, o.Settings...)
	t.Cleanup(func() {
		k.Stop()
		_ = log.Close()
		if t.Failed() {
			t.Logf("Kong's log:\n%s", k.Complaints())
		}
	})
	return k
}

// Start starts Kong, also again after it was stopped, and waits until its Admin API answers.
func (k *Kong) Start() {
	k.t.Helper()
	if err := k.TryStart(); err != nil {
		k.t.Fatal(err)
	}
}

// TryStart is Start for a Kong that may not start. The error has what Kong wrote.
func (k *Kong) TryStart() (err error) {
	if k.process, err = k.Config.Start(); err != nil {
		return err
	}
	admin := k.Admin()
	for deadline := time.Now().Add(readyWithin); ; {
		answer, err := admin.Get("http://kong/status")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(answer.Status)
		}
		select {
		case <-k.process.Done():
			err = errors.Join(errors.New("Kong ended while it started"), k.process.Err())
		case <-time.After(10 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		}
		output, _ := os.ReadFile(k.Log.Name())
		return fmt.Errorf("%w\n%s\n%s", err, output, k.Complaints())
	}
}

// Stop ends Kong's requests and its processes.
func (k *Kong) Stop() { k.end(syscall.SIGTERM, endWithin) }

// Quit ends Kong when it has answered the requests that it has.
func (k *Kong) Quit() { k.end(syscall.SIGQUIT, 5*time.Minute) }

func (k *Kong) end(signal syscall.Signal, within time.Duration) {
	if k.process != nil {
		k.process.End(signal, within)
		k.process = nil
	}
}

// Reload makes Kong start new workers in place of the old ones, with the settings as they are.
func (k *Kong) Reload() { k.process.Signal(syscall.SIGHUP) }

// Pid returns the process id of nginx's master process.
func (k *Kong) Pid() int { return k.process.Pid() }

// Workers returns the process ids of Kong's workers in ascending order, without those that are shutting down.
func (k *Kong) Workers() []int { return k.process.Workers() }

// Socket returns the path of the Admin API's socket.
func (k *Kong) Socket() string { return filepath.Join(k.Prefix, "sockets", "admin.sock") }

// Admin returns a client of the Admin API, for URLs with any host.
func (k *Kong) Admin() *http.Client { return Admin(k.Socket()) }

// Admin returns a client of the Admin API at a socket, for URLs with any host.
func Admin(socket string) *http.Client {
	return &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
}

// LogFile returns the path of Kong's log.
func (k *Kong) LogFile() string { return filepath.Join(k.Prefix, "logs", "error.log") }

// ReadLog returns Kong's log, or the empty string before there is one.
func (k *Kong) ReadLog() string {
	log, err := os.ReadFile(k.LogFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		k.t.Fatal(err)
	}
	return string(log)
}

// Complaints returns the last lines of Kong's log that are warnings or worse.
func (k *Kong) Complaints() string {
	var lines []string
	for line := range strings.Lines(k.ReadLog()) {
		if strings.Contains(line, "[notice]") || strings.Contains(line, "[info]") || strings.Contains(line, "no Route found") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines[max(0, len(lines)-logLines):], "")
}

// Eventually calls check until it returns true. It fails the test, with Kong's complaints, if that takes too long.
func (k *Kong) Eventually(condition string, check func() bool) {
	k.t.Helper()
	eventually.True(failure{k}, time.Minute, condition, check)
}

// failure adds Kong's complaints to the failure of a test.
type failure struct{ k *Kong }

func (f failure) Helper() { f.k.t.Helper() }

func (f failure) Fatalf(format string, args ...any) {
	f.k.t.Helper()
	f.k.t.Fatalf(format+"\n%s", append(args, f.k.Complaints())...)
}

// ConfDir returns the directory kong-conf, which is in a directory above the package under test.
func ConfDir(t testing.TB) string {
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
		if _, err := os.Stat(filepath.Join(above, "kong.conf")); err == nil {
			return above
		}
	}
	t.Fatal("no directory above the package under test has the directory kong-conf")
	return ""
}

// LuaPath returns Kong's lua_package_path with the plugins of kong-conf. Modules of the given directories come first.
func LuaPath(t testing.TB, before ...string) string {
	t.Helper()
	path := ""
	for _, dir := range append(before, filepath.Join(ConfDir(t), "lua")) {
		path += dir + "/?.lua;"
	}
	return path + ";"
}
