// Command standin runs the stand-in gateway with Kong's settings: KONG_* variables and,
// with -c, a kong.conf. It is not Kong, and is only for tests and for trying kube-sync out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kube-sync/kube-sync/e2e/standin"
)

func main() {
	conf := flag.String("c", "", "configuration `file`, of the form of kong.conf")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := standin.Run(ctx, os.Environ(), *conf)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in gateway:", err)
		os.Exit(1)
	}
}
