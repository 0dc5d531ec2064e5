package report

import (
	"log/slog"
	"slices"
	"sync"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// LogReporter logs reports, for sources that cannot be written to. A verdict is logged when it
// appears and when it disappears.
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
		var faults []unit.Verdict
		for _, verdict := range report.Verdicts {
			if !verdict.OK && !report.Gone {
				faults = append(faults, verdict)
			}
		}
		l.compare(report.Object, l.verdicts[report.Object], faults)
		if len(faults) > 0 {
			l.verdicts[report.Object] = faults
		} else {
			delete(l.verdicts, report.Object)
		}
	}
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
