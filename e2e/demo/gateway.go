package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/kube-sync/kube-sync/e2e/standin"
	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

// gateway is what was started.
type gateway struct {
	name string
	// ended is closed when the gateway ended by itself, after err was set.
	ended <-chan struct{}
	err   error
	stop  func()
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

func startGateway(ctx context.Context, o *options, log *os.File) (*gateway, error) {
	environ, err := o.environ()
	if err != nil {
		return nil, err
	}
	if kong := o.kong(); kong != "" {
		return startKong(kong, o, environ, log)
	}
	return startStandIn(ctx, o, environ, log)
}

// environ are the settings of the gateway, Kong or not, that differ from the pod's: it is
// on loopback, and there is a directory in place of a cluster.
func (o *options) environ() ([]string, error) {
	adminPort, err := freePort()
	if err != nil {
		return nil, err
	}
	command := quote(o.kubeSync)
	return []string{
		"KONG_PREFIX=" + o.prefix(),
		"KONG_PROXY_LISTEN=" + o.http.address() + ", " + o.https.address() + " http2 ssl",
		// Kong wants one on TCP, too, where kong.conf lets nobody in.
		"KONG_ADMIN_LISTEN=127.0.0.1:" + adminPort,
		"KONG_NGINX_ADMIN_LISTEN=unix:" + o.adminSocket(),
		"KONG_STATUS_LISTEN=off",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=" + command + " -kong-prefix " + quote(o.prefix()),
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD=" + command + " -dump",
		"KONG_PLUGINSERVER_KUBE_SYNC_MANIFESTS=" + o.manifests,
		"KONG_PLUGINSERVER_KUBE_SYNC_HEALTH_PROBE_BIND_ADDRESS=" + o.health.address(),
		"KONG_PLUGINSERVER_KUBE_SYNC_METRICS_BIND_ADDRESS=" + o.metrics.address(),
		// The examples have their backends on this machine. On a gateway that
		// serves others this would open its own ports to whoever writes routes.
		"KONG_PLUGINSERVER_KUBE_SYNC_ALLOW_LOOPBACK_BACKENDS=true",
	}, nil
}

func startStandIn(ctx context.Context, o *options, environ []string, log *os.File) (*gateway, error) {
	s, err := settings.Read(environ, o.conf)
	if err != nil {
		return nil, err
	}
	g, err := standin.Start(context.WithoutCancel(ctx), standin.Config{Settings: s, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		return nil, fmt.Errorf("stand-in gateway: %w", err)
	}
	ended := make(chan struct{})
	why := "no kong is on PATH"
	if o.standIn {
		why = "-stand-in asks for it"
	}
	gateway := &gateway{
		name:  "the stand-in that comes with kube-sync, as " + why + ". It is for trying out, and not Kong",
		ended: ended, stop: g.Close,
	}
	go func() {
		gateway.err = g.Wait()
		close(ended)
	}()
	return gateway, nil
}

// freePort finds a port that nobody uses at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("port for Kong's Admin API: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// quote makes one word of s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
