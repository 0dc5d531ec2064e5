package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// stopTime is how long the gateway may take to end after it was asked to: the stand-in
// gives its plugin servers ten seconds and its requests five.
const stopTime = 20 * time.Second

// gateway is what was started.
type gateway struct {
	name string
	// ended is closed when the gateway ended, after err was set.
	ended chan struct{}
	err   error
	// stop asks the gateway to end and returns when it has.
	stop func()
}

// kong is the Kong to use, "" for the stand-in.
func (o *options) kong() string {
	if o.standIn {
		return ""
	}
	path, err := exec.LookPath("kong")
	if err != nil {
		return ""
	}
	return path
}

// startGateway starts Kong, or the stand-in where there is no Kong, as a process of
// its own: kube-sync finds Kong's log through the process that started it.
func startGateway(o *options, log *os.File) (*gateway, error) {
	environ, err := o.environ()
	if err != nil {
		return nil, err
	}
	if kong := o.kong(); kong != "" {
		return startKong(kong, o, environ, log)
	}
	return startStandIn(o, environ, log)
}

// environ are the settings of the gateway, Kong or not, that differ from the pod's: it is
// on loopback, and there is a directory in place of a cluster.
func (o *options) environ() ([]string, error) {
	adminPort, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	relayPort, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	lua, err := filepath.Abs(filepath.Join(filepath.Dir(o.conf), "lua"))
	if err != nil {
		return nil, err
	}
	command := quote(o.kubeSync)
	settings := []string{
		"KONG_PREFIX=" + o.prefix(),
		// Workers are the user that starts Kong, as in the image: the prefix is nobody else's.
		"KONG_NGINX_USER=root root",
		"KONG_LUA_PACKAGE_PATH=" + lua + "/?.lua;;",
		"KONG_PROXY_LISTEN=" + o.http.address() + ", " + o.https.address() + " http2 ssl",
		// No ports for Gateways: nobody writes their Services.
		"KONG_NGINX_PROXY_LISTEN=unix:" + filepath.Join(o.prefix(), "gateways.sock"),
		"KONG_STREAM_LISTEN=off",
		// Kong wants one on TCP, too, where kong.conf lets nobody in.
		"KONG_ADMIN_LISTEN=127.0.0.1:" + strconv.Itoa(adminPort),
		"KONG_NGINX_ADMIN_LISTEN=unix:" + o.adminSocket(),
		"KONG_STATUS_LISTEN=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + command + " -kong-prefix " + quote(o.prefix()),
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + command + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + o.manifests,
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + o.health.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=" + o.metrics.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=127.0.0.1:" + strconv.Itoa(relayPort),
		// The examples have their backends on this machine. On a gateway that
		// serves others this would open its own ports to whoever writes routes.
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true",
	}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KONG_") {
			settings = append(settings, e)
		}
	}
	return settings, nil
}

// startStandIn runs this program once more, as the stand-in.
func startStandIn(o *options, environ []string, log *os.File) (*gateway, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	cmd := exec.Command(self, standInVerb, o.conf)
	// It ends with its standard input, should the demo not live to end it.
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	g, err := start(cmd, environ, log)
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	why := "no kong is on PATH"
	if o.standIn {
		why = "-stand-in asks for it"
	}
	g.name = "the stand-in that comes with kube-sync, as " + why + ". It is for trying out, and not Kong"
	g.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
		g.await(cmd)
		input.Close()
	}
	return g, nil
}

// start starts the process of a gateway, out of reach of the terminal's signals: they
// are for the demo, which then ends its children.
func start(cmd *exec.Cmd, environ []string, log *os.File) (*gateway, error) {
	cmd.Env, cmd.Stdout, cmd.Stderr = environ, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &gateway{ended: make(chan struct{})}
	go func() {
		g.err = cmd.Wait()
		close(g.ended)
	}()
	return g, nil
}

// await waits for the gateway to end, and ends its process group if that takes too long.
func (g *gateway) await(cmd *exec.Cmd) {
	select {
	case <-g.ended:
	case <-time.After(stopTime):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-g.ended
	}
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
