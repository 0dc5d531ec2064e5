package agent

import (
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/report"
)

// report reports on the objects that changed or whose refusal changed.
func (l *loop) report(outcome gateway.Outcome) {
	before := l.refused
	l.refused = map[unit.Key][]gateway.Refusal{}
	for _, refusal := range outcome.Refusals {
		l.refused[refusal.Object] = append(l.refused[refusal.Object], refusal)
		l.objects[refusal.Object] = struct{}{}
	}
	for key := range before {
		l.objects[key] = struct{}{}
	}
	if !l.whole {
		return
	}
	reports := make([]report.Report, 0, len(l.objects))
	for key := range l.objects {
		if l.readyToReport(key) {
			reported := l.reportOn(key)
			l.record(reported)
			reports = append(reports, reported)
			delete(l.objects, key)
		}
	}
	if len(reports) > 0 {
		l.reporter.Report(reports...)
	}
}

// record records the faults of an object, as its status and its Events tell them.
func (l *loop) record(r report.Report) {
	verdicts := r.Verdicts
	if r.Status != nil {
		verdicts = append(slices.Clip(verdicts), r.Status.Diagnostics()...)
	}
	l.recorder.Reported(r.Object, verdicts, r.Gone)
}

// readyToReport reports whether the status of an object is final. It is not if the rest of a large
// change has the object, or if a Secret or ConfigMap that it needs is on its way, which would be
// reported as missing. An object does not wait for those of others.
func (l *loop) readyToReport(key unit.Key) bool {
	if _, pending := l.pending[key]; pending {
		return false
	}
	if awaited, held := l.held[key]; held {
		if _, still := l.awaited[awaited]; still {
			return false
		}
		delete(l.held, key)
	}
	awaited, held := l.graph.Awaits(key, l.awaited)
	if held {
		l.held[key] = awaited
	}
	return !held
}

// hasReadyReport reports whether there is an object to report on.
func (l *loop) hasReadyReport() bool {
	for key := range l.objects {
		if l.readyToReport(key) {
			return true
		}
	}
	return false
}

func (l *loop) reportOn(key unit.Key) report.Report {
	verdicts := l.graph.Verdicts(key)
	l.conflicts.note(key, verdicts)
	for _, refusal := range l.refused[key] {
		verdicts = append(verdicts, unit.Warning(key, "KongConfigurationApplyFailed", strings.Join(refusal.Messages, "; ")))
	}
	_, programmed := l.graph.Source(key)
	if source, ok := l.source.(diagnosing); ok && programmed {
		verdicts = append(verdicts, source.Verdicts(key)...)
	}
	if _, ok := l.source.(selfContained); ok {
		verdicts = append(verdicts, translate.Unserved(l.graph, key)...)
	}
	status := l.graph.Status(key)
	return report.Report{
		Object:     key,
		Change:     l.change,
		Programmed: programmed && len(l.refused[key]) == 0,
		Gone:       l.graph.Object(key) == nil || !programmed && len(verdicts) == 0 && status == nil,
		Verdicts:   verdicts,
		Status:     l.refusedStatus(key, status),
		Owned:      l.graph.Owned(key),
	}
}

// refusedStatus returns an object's status with Kong's refusals.
func (l *loop) refusedStatus(key unit.Key, status unit.Status) unit.Status {
	if status == nil || len(l.refused[key]) == 0 {
		return status
	}
	var messages []string
	for _, refusal := range l.refused[key] {
		messages = append(messages, refusal.Messages...)
	}
	return status.Refused(strings.Join(messages, "; "))
}
