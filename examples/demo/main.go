package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kube-sync/kube-sync/e2e/standin"
)

// readyTime is how long the gateway and kube-sync may take to be ready.
const readyTime = 3 * time.Minute

// standInVerb as the first argument makes this program the stand-in gateway.
const standInVerb = "stand-in"

func main() {
	if len(os.Args) == 3 && os.Args[1] == standInVerb {
		runStandIn(os.Args[2])
		return
	}
	o, err := parseOptions(os.Args[1:], os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP) // the terminal was closed
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	if !signal.Ignored(syscall.SIGHUP) {
		go endWithTerminal(os.Stdout, stop)
	}
	err = run(ctx, o)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// runStandIn runs the stand-in gateway until a signal arrives, which the end of the demo sends as well.
func runStandIn(conf string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := standin.Run(ctx, os.Environ(), conf)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in gateway:", err)
		os.Exit(1)
	}
}

// run runs the demo until the context ends, or once.
func run(ctx context.Context, o *options) error {
	if err := o.check(); err != nil {
		return err
	}
	started := time.Now()
	for _, b := range []struct {
		name string
		port port
	}{{"shop", o.shop}, {"blog", o.blog}} {
		stop, err := startBackend(b.name, b.port)
		if err != nil {
			return err
		}
		defer stop()
	}
	// Kong opens it once more by itself, so all have to append.
	log, err := os.OpenFile(o.logFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	defer log.Close()

	gateway, err := startGateway(o, log)
	if err != nil {
		return err
	}
	defer gateway.stop()
	fmt.Fprintf(o.out, "The gateway is %s.\n", gateway.name)
	if !o.choice.runsKong() {
		fmt.Fprintln(o.out, standin.Limits)
	}
	if o.choice.hint != "" {
		fmt.Fprintln(o.out, o.choice.hint)
	}
	fmt.Fprintf(o.out, "Its log, and kube-sync's: %s\n", o.logFile())
	if err := waitReady(ctx, o, gateway); err != nil {
		if ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "The end of %s:\n%s", o.logFile(), tail(o.logFile(), 20))
		}
		return err
	}
	fmt.Fprintf(o.out, "Ready after %.1f s. What it does: http://%s/\n\n", time.Since(started).Seconds(), o.page.address())

	err = askAll(ctx, o)
	if o.once || ctx.Err() != nil {
		return err
	}
	fmt.Fprintf(o.out, "The configuration comes from %s: edit a file there and save, it takes effect at once. Try it:\n", o.manifests)
	for _, s := range suggestions {
		fmt.Fprintf(o.out, "  * %s\n    $ %s\n", s.what, s.after.curl(o))
	}
	fmt.Fprintln(o.out, "Ctrl-C stops everything.")
	return follow(ctx, o, gateway)
}
