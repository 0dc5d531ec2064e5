package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"

	"k8s.io/klog/v2"

	"github.com/kube-sync/kube-sync/plugin/cli"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch/clientlog"
)

// controller configures the Kong with a prefix. It runs in the plugin server's process.
type controller struct {
	prefix   string
	settings settings.Settings
	// invalid joins the errors in the settings; nil if there are none.
	invalid error
	// unread is why Kong's settings could not be read. It is part of invalid.
	unread error
	log    *slog.Logger
}

// newController reads the settings. From then on the whole process logs to Kong's log.
func newController(prefix string, flags map[string]string) *controller {
	s, unread, invalid := load(prefix, flags)
	log := process.NewLog(s.LogLevel, s.LogFormat)
	slog.SetDefault(log)
	klog.SetSlogLogger(slog.New(clientlog.WithoutBodies(log.Handler())))
	for _, err := range unjoin(invalid) {
		log.Error("A setting is invalid; nothing is configured until it is corrected", "error", err)
	}
	if s.Unguarded {
		log.Error("Plugins connect to any address, and ALLOW_EXTERNAL_NAME has no effect: Kong's workers check addresses only with the plugin kube-sync-delta; add it to KONG_PLUGINS")
	}
	if err := process.EndWithParent(); err != nil {
		log.Error("Kong's worker is gone", "error", err)
		os.Exit(1)
	}
	memory := process.LimitMemory()
	log.Info("kube-sync starts", "version", cli.Version, "prefix", prefix, "pid", os.Getpid(), "memory_limit", memory)
	return &controller{prefix: prefix, settings: s, invalid: invalid, unread: unread, log: log}
}

// run configures Kong until the context ends, if this is the newest of Kong's plugin servers. It
// does not end the process after an error, as Kong would start it again at once, forever.
func (c *controller) run(ctx context.Context) {
	var turn *process.Turn
	process.Supervise(ctx, c.log, "turn", func(ctx context.Context) error {
		if turn == nil {
			var err error
			if turn, err = process.Claim(c.prefix); err != nil {
				return err
			}
		}
		err := turn.Hold(ctx, c.log, c.runParts)
		if errors.Is(err, process.ErrSuperseded) {
			c.log.Info("A newer process of this Kong takes over; this one continues as a plugin server only")
			<-ctx.Done()
		}
		return err
	})
}

// runParts runs the parts. Each is started again after an error.
func (c *controller) runParts(ctx context.Context) error {
	relay := newRelay(c.prefix, c.settings, c.log)
	server := newServer(c.settings, relay, c.log)
	var parts sync.WaitGroup
	parts.Go(func() { process.Supervise(ctx, c.log, "server", server.Run) })
	parts.Go(func() { process.Supervise(ctx, c.log, "relay", relay.Run) })
	if c.invalid != nil {
		server.SetReason(oneLine(c.invalid))
		c.awaitReadable(ctx)
		<-ctx.Done()
	} else {
		process.Supervise(ctx, c.log, "agent", func(ctx context.Context) error {
			err := process.Recover(func() error { return runAgent(ctx, c.prefix, c.settings, relay, server, c.log) })
			if err != nil {
				server.SetReason(oneLine(err))
			}
			return err
		})
	}
	parts.Wait()
	return context.Cause(ctx)
}

// awaitReadable ends the process once Kong's settings can be read: Kong then starts it again with
// them. Other invalid settings change only when Kong is restarted.
func (c *controller) awaitReadable(ctx context.Context) {
	if c.unread == nil {
		return
	}
	process.Supervise(ctx, c.log, "settings", func(context.Context) error {
		if _, err := settings.ReadKong(c.prefix); err != nil {
			return err
		}
		c.log.Info("Kong's settings can be read now; kube-sync starts again with them")
		os.Exit(0)
		return nil
	})
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// load reads the settings of the Kong with a prefix. invalid includes unread, why Kong's own
// settings could not be read.
func load(prefix string, flags map[string]string) (s settings.Settings, unread, invalid error) {
	kong, unread := settings.ReadKong(prefix)
	s, err := settings.Load(settings.Sources{Flags: flags, Kong: kong, Environ: os.Environ()})
	return s, unread, errors.Join(unread, err)
}

// unjoin returns the errors that were joined.
func unjoin(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, unjoin(one)...)
	}
	return all
}
