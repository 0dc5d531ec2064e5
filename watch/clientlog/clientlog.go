// Package clientlog makes client-go write to the gateway's log, without the contents of
// requests.
package clientlog

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// NewContext returns a context in which client-go writes to our log. Its Info messages are details to our users and
// become Debug messages.
func NewContext(ctx context.Context, log *slog.Logger) context.Context {
	return klog.NewContext(ctx, logr.FromSlogHandler(demoted{WithoutBodies(log.Handler())}))
}

// leastClientLevel is client-go's verbosity 6. At 7 it logs the headers of requests and at 8
// their bodies, including those of Secrets.
const leastClientLevel = slog.Level(-6)

// WithoutBodies returns a handler for client-go's log that drops the headers and bodies of
// requests and answers at every level.
func WithoutBodies(handler slog.Handler) slog.Handler { return bodiless{handler} }

type bodiless struct{ slog.Handler }

func (b bodiless) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= leastClientLevel && b.Handler.Enabled(ctx, level)
}

func (b bodiless) Handle(ctx context.Context, record slog.Record) error {
	if record.Level < leastClientLevel {
		return nil
	}
	return b.Handler.Handle(ctx, record)
}

func (b bodiless) WithAttrs(attrs []slog.Attr) slog.Handler {
	return bodiless{b.Handler.WithAttrs(attrs)}
}

func (b bodiless) WithGroup(name string) slog.Handler { return bodiless{b.Handler.WithGroup(name)} }

// demoted turns Info messages into Debug messages.
type demoted struct{ slog.Handler }

func (d demoted) level(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}

func (d demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, d.level(level))
}

func (d demoted) Handle(ctx context.Context, record slog.Record) error {
	record.Level = d.level(record.Level)
	return d.Handler.Handle(ctx, record)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}

func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
