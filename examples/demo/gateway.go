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
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// stopTime is how long the gateway may take to stop: the stand-in waits ten seconds for its plugin
// servers and five for its requests.
const stopTime = 20 * time.Second

// gateway is Kong, or the stand-in where there is no Kong. It is a process of its own: kube-sync finds Kong's log
// through the process that started it.
type gateway struct {
	*kongtest.Process
	name string
}

// stop ends the gateway and returns when it has ended.
func (g *gateway) stop() { g.End(syscall.SIGTERM, stopTime) }

func startGateway(o *options, log *os.File) (*gateway, error) {
	environ, err := o.environ()
	if err != nil {
		return nil, err
	}
	switch o.choice.kind {
	case installedKong:
		return startKong(o, environ, log)
	case imageOfKong:
		return startImage(o, environ, log)
	}
	return startStandIn(o, environ, log)
}

func startKong(o *options, environ []string, log *os.File) (*gateway, error) {
	command := quote(o.kubeSync)
	process, err := kongtest.Config{Conf: filepath.Join(o.linked(), filepath.Base(o.conf)), Prefix: o.prefix(), Log: log, Env: append(environ,
		"KONG_LUA_PACKAGE_PATH="+o.linked()+"/lua/?.lua;;",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+command+" -kong-prefix "+o.prefix(),
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD="+command+" -dump",
		"KONG_PROXY_ACCESS_LOG=off", "KONG_PROXY_ERROR_LOG=/dev/stderr", "KONG_ADMIN_ERROR_LOG=/dev/stderr")}.Start()
	if err != nil {
		return nil, fmt.Errorf("kong: %w", err)
	}
	version, err := kongtest.Version()
	if err != nil {
		version = "of unknown version"
	}
	return &gateway{process, "Kong " + version}, nil
}

// startImage starts the image in a container that shares the network and the gateway's directory.
func startImage(o *options, environ []string, log *os.File) (*gateway, error) {
	args := []string{"run", "--rm", "--network", "host", "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
		"--volume", o.prefix() + ":" + o.prefix(), "--mount", "type=bind,readonly,source=" + o.manifests + ",target=/manifests"}
	for _, setting := range append(environ,
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=/manifests",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=/usr/local/bin/kube-sync -kong-prefix "+o.prefix(),
		"KONG_PROXY_ACCESS_LOG=off", "KONG_PROXY_ERROR_LOG=/dev/stderr", "KONG_ADMIN_ERROR_LOG=/dev/stderr",
	) {
		if strings.HasPrefix(setting, "KONG_") {
			args = append(args, "--env", setting)
		}
	}
	cmd := exec.Command("docker", append(args, image)...)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := kongtest.Run(cmd)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	return &gateway{process, "Kong, from the image " + image + ". \"make image\" builds it again"}, nil
}

// startStandIn runs this program again, as the stand-in.
func startStandIn(o *options, environ []string, log *os.File) (*gateway, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	cmd := exec.Command(self, standInVerb, o.conf)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(environ,
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD="+quote(o.kubeSync)+" -kong-prefix "+o.prefix()), log, log
	process, err := kongtest.Run(cmd)
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	return &gateway{process, "the stand-in that comes with kube-sync, because " + o.choice.why + ". It is for trying out, and not Kong"}, nil
}

// environ returns the settings of the gateway that differ from the pod's: it listens on loopback, and
// follows a directory in place of a cluster.
func (o *options) environ() ([]string, error) {
	adminPort, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	relayPort, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	settings := []string{
		"KONG_PREFIX=" + o.prefix(),
		// Workers run as the user that starts Kong, as in the image: other users cannot read the prefix.
		"KONG_NGINX_USER=root root",
		"KONG_PROXY_LISTEN=" + o.http.address() + ", " + o.https.address() + " http2 ssl",
		// No ports for Gateways, whose Services nothing would write.
		"KONG_NGINX_PROXY_LISTEN=unix:" + filepath.Join(o.prefix(), "gateways.sock"),
		"KONG_STREAM_LISTEN=off",
		// Kong requires one on TCP too; kong.conf denies all requests to it.
		"KONG_ADMIN_LISTEN=127.0.0.1:" + strconv.Itoa(adminPort),
		"KONG_NGINX_ADMIN_LISTEN=unix:" + o.adminSocket(),
		"KONG_STATUS_LISTEN=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + o.manifests,
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + o.health.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=" + o.metrics.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_STATUS_PAGE_BIND_ADDRESS=" + o.page.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_RELAY_BIND_ADDRESS=127.0.0.1:" + strconv.Itoa(relayPort),
		// The backends of the examples are on this machine. On a shared gateway, this setting
		// would open its own ports to everyone who writes routes.
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true",
	}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KONG_") {
			settings = append(settings, e)
		}
	}
	return settings, nil
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
