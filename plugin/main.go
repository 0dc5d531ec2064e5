// Command kube-sync configures the Kong that it runs in from Kubernetes.
//
// With flags alone, or without arguments under Kong, it is the plugin server that Kong starts
// beside its workers. If the first argument is a command, it is a command line tool: see
// kube-sync help.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/Kong/go-pdk/server"

	"github.com/kube-sync/kube-sync/plugin/cli"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/settings"
)

const (
	// priority is required by Kong. It has no effect, as the plugin has no phases.
	priority = 1
	// shutdownTimeout limits the last status updates and the release of the Lease when Kong ends.
	shutdownTimeout = 3 * time.Second
	// The waits between attempts to listen grow from listenFirst to listenMost.
	listenFirst = time.Second
	listenMost  = 30 * time.Second
)

// Config is the configuration of the Kong plugin "kube-sync". The plugin has no phases: it never
// handles a request.
type Config struct{}

// New returns an empty configuration.
func New() any { return &Config{} }

func main() {
	if verb := verbOf(os.Args[1:]); verb != nil {
		os.Exit(cli.Run(verb, os.Stdout, os.Stderr))
	}
	given := settings.Flags(flag.CommandLine)
	flag.Parse()
	if flag.Lookup("dump").Value.String() != "true" {
		startController(given)
		listen()
	}
	// With -dump, StartServer prints a description and returns.
	if err := server.StartServer(New, threeNumbers(cli.Version), priority); err != nil {
		os.Stderr.WriteString("kube-sync: plugin server: " + err.Error() + "\n")
		os.Exit(1)
	}
}

// listen runs the plugin server and never returns. If the server cannot listen on its socket,
// listen tries again after growing waits: Kong would start an ended process again each second,
// without logging why it ended.
func listen() {
	for wait := listenFirst; ; wait = min(2*wait, listenMost) {
		err := server.StartServer(New, threeNumbers(cli.Version), priority)
		slog.Error("The plugin server cannot listen in Kong's prefix", "error", err, "again_in", wait)
		time.Sleep(wait)
	}
}

// verbOf returns the arguments of the command line, or nil if Kong starts the process.
func verbOf(args []string) []string {
	switch {
	case len(args) == 0:
		if _, ok := process.Prefix(); ok {
			return nil // Kong's default start command has no arguments.
		}
		return []string{}
	case args[0] == "-version", args[0] == "--version":
		return []string{"version"}
	case args[0] == "-h", args[0] == "-help", args[0] == "--help":
		return []string{"help"}
	case strings.HasPrefix(args[0], "-"):
		return nil
	}
	return args
}

// threeNumbers returns a version in the form that Kong requires of a plugin: 1.2.3.
func threeNumbers(version string) string {
	if numbers := regexp.MustCompile(`\d+\.\d+\.\d+`).FindString(version); numbers != "" {
		return numbers
	}
	return "0.0.0"
}

// startController starts the controller beside the plugin server, with the settings on the command
// line.
func startController(given map[string]string) {
	option := flag.Lookup("kong-prefix")
	named := false
	flag.Visit(func(f *flag.Flag) { named = named || f == option })
	// Kong's default start command has no prefix.
	if found, ok := process.Prefix(); ok && !named {
		_ = option.Value.Set(found)
	}
	// Read the flag now: the plugin server parses the flags again.
	prefix := option.Value.String()
	c := newController(prefix, given)
	// Kong ends its plugin servers with one SIGTERM.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(ctx)
	}()
	go func() {
		<-ctx.Done()
		stop()
		select {
		case <-done:
		case <-time.After(shutdownTimeout):
		}
		os.Exit(0)
	}()
}
