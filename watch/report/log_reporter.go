package report

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// LogReporter logs reports, for sources that cannot be written to. A fault, from a verdict or from a
// status, is logged when it appears and when it disappears.
type LogReporter struct {
	log *slog.Logger

	mu       sync.Mutex
	verdicts map[unit.Key][]unit.Verdict
}

// NewLogReporter returns a reporter to a log; nil means slog.Default().
func NewLogReporter(log *slog.Logger) *LogReporter {
	if log == nil {
		log = slog.Default()
	}
	return &LogReporter{log: log, verdicts: map[unit.Key][]unit.Verdict{}}
}

// Report logs what has changed since the last reports on the objects.
func (l *LogReporter) Report(reports ...Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, report := range reports {
		before, faults := l.verdicts[report.Object], faultsOf(report)
		l.compare(report.Object, before, faults)
		if len(faults) > 0 {
			l.verdicts[report.Object] = faults
			continue
		}
		delete(l.verdicts, report.Object)
		if len(before) > 0 && !report.Gone {
			l.log.Info("object is accepted again", "object", report.Object.String())
		}
	}
}

// faultsOf returns the verdicts and the conditions that mean a fault, each message once.
func faultsOf(r Report) (faults []unit.Verdict) {
	if r.Gone {
		return nil
	}
	all := slices.Clone(r.Verdicts)
	if r.Status != nil {
		all = append(all, r.Status.Diagnostics()...)
	}
	for _, verdict := range all {
		said := func(other unit.Verdict) bool { return other.Message == verdict.Message }
		if !verdict.OK && !slices.ContainsFunc(faults, said) {
			faults = append(faults, verdict)
		}
	}
	return faults
}

func (l *LogReporter) compare(key unit.Key, before, faults []unit.Verdict) {
	for _, verdict := range faults {
		if !slices.ContainsFunc(before, verdict.Says) {
			l.log.Warn("object has a fault", "object", key.String(), "reason", verdict.Reason, "message", verdict.Message)
		}
	}
	for _, verdict := range before {
		if !slices.ContainsFunc(faults, verdict.Says) {
			l.log.Info("object no longer has a fault", "object", key.String(), "reason", verdict.Reason, "message", verdict.Message)
		}
	}
}
