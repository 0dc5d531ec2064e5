package agent

import (
	"strings"

	"github.com/kube-sync/kube-sync/plugin/gateway"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch"
)

// report tells what is now known of the objects that changed or whose refusal did.
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
		return // users would hear that Secrets are missing which are about to come
	}
	reports := make([]watch.Report, 0, len(l.objects))
	for key := range l.objects {
		reports = append(reports, l.reportOn(key))
	}
	clear(l.objects)
	if len(reports) > 0 {
		l.reporter.Report(reports...)
	}
}

func (l *loop) reportOn(key unit.Key) watch.Report {
	verdicts := l.graph.Verdicts(key)
	l.lost.note(key, verdicts)
	for _, refusal := range l.refused[key] {
		verdicts = append(verdicts, unit.Warning(key, "KongConfigurationApplyFailed", strings.Join(refusal.Messages, "; ")))
	}
	_, programmed := l.graph.Source(key)
	status := l.graph.Status(key)
	return watch.Report{
		Object:     key,
		Programmed: programmed && len(l.refused[key]) == 0,
		Gone:       l.graph.Object(key) == nil || !programmed && len(verdicts) == 0 && status == nil,
		Verdicts:   verdicts,
		Status:     l.refusedStatus(key, status),
		Owned:      l.graph.Owned(key),
	}
}

// refusedStatus is an object's status with what Kong had to say of it.
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
