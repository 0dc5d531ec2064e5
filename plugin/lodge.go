package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"

	"k8s.io/klog/v2"

	"github.com/kube-sync/kube-sync/plugin/agent"
	"github.com/kube-sync/kube-sync/plugin/cli"
	"github.com/kube-sync/kube-sync/plugin/datapath"
	"github.com/kube-sync/kube-sync/plugin/process"
	"github.com/kube-sync/kube-sync/plugin/serve"
	"github.com/kube-sync/kube-sync/plugin/settings"
	"github.com/kube-sync/kube-sync/watch/clientlog"
)

// lodger is what lives in the Kong with a prefix, beside the plugin server.
type lodger struct {
	prefix   string
	settings settings.Settings
	// bad is what is wrong with the settings; nil if nothing is.
	bad error
	// unread is why Kong's settings could not be read, which is part of what is bad.
	unread error
	log    *slog.Logger
}

// moveIn reads the settings, and has everybody in the process log where Kong does.
func moveIn(prefix string, flags map[string]string) *lodger {
	s, unread, bad := load(prefix, flags)
	log := process.NewLog(s.LogLevel, s.LogFormat)
	slog.SetDefault(log)
	klog.SetSlogLogger(slog.New(clientlog.WithoutBodies(log.Handler())))
	for _, err := range split(bad) {
		log.Error("A setting is wrong; nothing is configured until it is mended", "error", err)
	}
	if s.Unguarded {
		log.Error("Plugins connect to any address, and ALLOW_EXTERNAL_NAME has no effect: Kong's workers judge addresses only with the plugin kube-sync-delta, which KONG_PLUGINS does not name")
	}
	if err := process.EndWithParent(); err != nil {
		log.Error("Kong's worker is gone", "error", err)
		os.Exit(1)
	}
	memory := process.LimitMemory()
	log.Info("kube-sync starts", "version", cli.Version, "prefix", prefix, "pid", os.Getpid(), "memory_limit", memory)
	return &lodger{prefix: prefix, settings: s, bad: bad, unread: unread, log: log}
}

// run configures Kong until the context ends, as the newest of its servers only.
// The plugin server goes on whatever happens here, since Kong would start us again
// and again otherwise.
func (l *lodger) run(ctx context.Context) {
	var turn *process.Turn
	process.Supervise(ctx, l.log, "turn", func(ctx context.Context) error {
		if turn == nil {
			var err error
			if turn, err = process.Claim(l.prefix); err != nil {
				return err
			}
		}
		err := turn.Hold(ctx, l.log, l.act)
		if errors.Is(err, process.ErrSuperseded) {
			l.log.Info("A newer process of this Kong takes over; this one goes on as plugin server only")
			<-ctx.Done()
		}
		return err
	})
}

// act runs the agent, and tells outside how it fares.
func (l *lodger) act(ctx context.Context) error {
	relay := datapath.New(datapath.Options{
		Prefix: l.prefix, Address: l.settings.RelayAddress, Addresses: l.settings.Addresses(), Memory: l.settings.RelayMemory, Log: l.log,
	})
	server := serve.New(serve.Options{
		HealthAddress: l.settings.HealthProbeAddress, MetricsAddress: l.settings.MetricsAddress,
		DataPlane: l.settings.Admin, Also: relay, Log: l.log,
	})
	var parts sync.WaitGroup
	parts.Go(func() { process.Supervise(ctx, l.log, "server", server.Run) })
	parts.Go(func() { process.Supervise(ctx, l.log, "relay", relay.Run) })
	if l.bad != nil {
		server.SetReason(oneLine(l.bad))
		l.awaitReadable(ctx)
		<-ctx.Done()
	} else {
		process.Supervise(ctx, l.log, "agent", func(ctx context.Context) error {
			err := process.Recover(func() error { return agent.Run(ctx, l.prefix, l.settings, relay, server, l.log) })
			if err != nil {
				server.SetReason(oneLine(err))
			}
			return err
		})
	}
	parts.Wait()
	return context.Cause(ctx)
}

// awaitReadable ends the process once Kong's settings can be read: Kong starts it again, with
// them. What else is bad is in settings that only a restart of Kong changes.
func (l *lodger) awaitReadable(ctx context.Context) {
	if l.unread == nil {
		return
	}
	process.Supervise(ctx, l.log, "settings", func(context.Context) error {
		if _, err := settings.ReadKong(l.prefix); err != nil {
			return err
		}
		l.log.Info("Kong's settings can be read now; kube-sync starts again with them")
		os.Exit(0)
		return nil
	})
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// load reads the settings of the Kong with this prefix. All that is bad includes why Kong's
// could not be read.
func load(prefix string, flags map[string]string) (s settings.Settings, unread, bad error) {
	kong, unread := settings.ReadKong(prefix)
	s, err := settings.Load(settings.Sources{Flags: flags, Kong: kong, Environ: os.Environ()})
	return s, unread, errors.Join(unread, err)
}

// split lists the errors that were joined.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, split(one)...)
	}
	return all
}
