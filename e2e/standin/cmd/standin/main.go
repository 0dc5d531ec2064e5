// Command standin runs the stand-in gateway by Kong's settings: KONG_* variables and,
// with -c, a kong.conf. It is for trying kube-sync out and for tests, and not Kong.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/kube-sync/kube-sync/e2e/standin"
	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "stand-in gateway:", err)
		os.Exit(1)
	}
}

func run() error {
	conf := flag.String("c", "", "configuration `file`, of the form of kong.conf")
	flag.Parse()
	s, err := settings.Read(os.Environ(), *conf)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	g, err := standin.Start(ctx, standin.Config{Settings: s})
	if err != nil {
		return err
	}
	for _, setting := range []string{"KONG_PROXY_LISTEN", "KONG_ADMIN_LISTEN", "KONG_NGINX_ADMIN_LISTEN", "KONG_STATUS_LISTEN"} {
		for _, a := range g.Addresses(setting) {
			slog.Info("stand-in gateway listens (this is not Kong)", "setting", setting, "address", a.String())
		}
	}
	return g.Wait()
}
