package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// events returns the written Events, each as often as it was sent.
func (f fakes) events(t *testing.T) (messages []string) {
	t.Helper()
	list, err := f.Core.CoreV1().Events("").List(context.Background(), metav1.ListOptions{})
	watchtest.Must(t, err)
	for _, event := range list.Items {
		text := fmt.Sprintf("%s %s/%s %s %s: %s", event.Type, event.InvolvedObject.Namespace, event.InvolvedObject.Name,
			event.InvolvedObject.Kind, event.Reason, event.Message)
		messages = append(messages, slices.Repeat([]string{text}, int(event.Count))...)
	}
	slices.Sort(messages)
	return messages
}

func (f fakes) untilEvents(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	watchtest.Eventually(t, fmt.Sprintf("events %q", want), func() bool {
		got = f.events(t)
		return slices.Equal(got, want)
	})
}

func warnings(name string, messages ...string) Report {
	key := watchtest.IngressKey(name)
	r := Report{Object: key, Verdicts: []unit.Verdict{{Object: key, Condition: "Accepted", OK: true, Reason: "Accepted"}}}
	for _, message := range messages {
		r.Verdicts = append(r.Verdicts, unit.Warning(key, "BackendNotFound", message))
	}
	return r
}

func line(name, message string) string {
	return "Warning shop/" + name + " Ingress BackendNotFound: " + message
}

func TestEventsSayWhatIsWrongOnce(t *testing.T) {
	f := newFakes(watchtest.Ingress("web"), watchtest.Ingress("api"))
	w, _ := f.writer(t, Options{EmitEvents: true})
	for range 5 {
		w.Report(warnings("web", "no Service a", "no Service b"))
	}
	f.untilEvents(t, line("web", "no Service a"), line("web", "no Service b"))
	w.Report(warnings("web", "no Service b"))
	w.Report(warnings("web", "no Service b", "no Service c"))
	w.Report(warnings("api", "no Service a"))
	w.Report(warnings("absent", "no Service a"))
	f.untilEvents(t, line("web", "no Service a"), line("web", "no Service b"), line("web", "no Service c"), line("api", "no Service a"))

	// A fault that comes back is reported again.
	w.Report(warnings("web", "no Service a", "no Service b", "no Service c"))
	f.untilEvents(t, line("web", "no Service a"), line("web", "no Service a"), line("web", "no Service b"), line("web", "no Service c"),
		line("api", "no Service a"))

	list, err := f.Core.CoreV1().Events("shop").List(context.Background(), metav1.ListOptions{})
	watchtest.Must(t, err)
	event := list.Items[0]
	if event.Source.Component != "kube-sync" || event.ReportingInstance != "kong-1" || event.InvolvedObject.UID != "u-1" ||
		event.InvolvedObject.APIVersion != "networking.k8s.io/v1" {
		t.Errorf("event %+v", event)
	}
}

func TestEventsAreRepeatedAfterTheWindow(t *testing.T) {
	f := newFakes(watchtest.Ingress("web"))
	w, _ := f.writer(t, Options{EmitEvents: true, EventWindow: 20 * time.Millisecond})
	w.Report(warnings("web", "no Service a"))
	watchtest.Eventually(t, "repeated", func() bool { return len(f.events(t)) >= 3 })
	w.Report(Report{Object: watchtest.IngressKey("web"), Gone: true})
	events := part[*events](w)
	events.mu.Lock()
	defer events.mu.Unlock()
	if len(events.verdicts) != 0 {
		t.Error("a gone object is still held")
	}
}

func TestEventsAreTheLeadersAlone(t *testing.T) {
	f := newFakes(watchtest.Ingress("web"))
	first, stop := f.writer(t, Options{EmitEvents: true, ReportingInstance: "kong-1"})
	watchtest.Eventually(t, "the first leads", first.Leading)
	second, _ := f.writer(t, Options{EmitEvents: true, ReportingInstance: "kong-2"})
	second.Report(warnings("web", "no Service a"))
	first.Report(warnings("web", "no Service a"))
	f.untilEvents(t, line("web", "no Service a"))
	stop()
	watchtest.Eventually(t, "the second leads and says so itself", func() bool { return second.Leading() && len(f.events(t)) == 2 })
}

func TestLongMessagesAreShortened(t *testing.T) {
	if got := shorten(strings.Repeat("é", 1000)); len(got) > messageLimit || !strings.HasSuffix(got, "é ...") {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-8:])
	}
	if got := shorten("short"); got != "short" {
		t.Errorf("%q", got)
	}
}

func TestLogReporter(t *testing.T) {
	log := &watchtest.Log{}
	reporter := NewLogReporter(log.Logger())
	for range 3 {
		reporter.Report(warnings("web", "no Service a"))
	}
	reporter.Report(warnings("web", "no Service b"))
	reporter.Report(warnings("web", "no Service b"), Report{Object: watchtest.IngressKey("web"), Gone: true})
	for part, want := range map[string]int{
		`msg="object has a fault" object="Ingress shop/web" reason=BackendNotFound message="no Service a"`:           1,
		`msg="object no longer has a fault" object="Ingress shop/web" reason=BackendNotFound message="no Service a"`: 1,
		`msg="object has a fault" object="Ingress shop/web" reason=BackendNotFound message="no Service b"`:           1,
		`msg="object no longer has a fault" object="Ingress shop/web" reason=BackendNotFound message="no Service b"`: 1,
		"msg=": 4,
	} {
		if got := log.Count(part); got != want {
			t.Errorf("%d times %s, want %d", got, part, want)
		}
	}
	if len(reporter.verdicts) != 0 {
		t.Error("still held")
	}
}

// diagnosed is a status with faults.
type diagnosed struct {
	unit.Status
	faults []unit.Verdict
}

func (d diagnosed) Diagnostics() []unit.Verdict { return d.faults }

func TestLogReporterSaysConditionsAndRepairs(t *testing.T) {
	log := &watchtest.Log{}
	reporter := NewLogReporter(log.Logger())
	key := watchtest.IngressKey("web")
	fault := unit.Verdict{Object: key, Condition: "Accepted", Reason: "NoMatchingParent", Message: "no listener"}
	reporter.Report(Report{Object: key, Status: diagnosed{faults: []unit.Verdict{fault}}, Verdicts: []unit.Verdict{unit.Warning(key, "Refused", fault.Message)}})
	reporter.Report(Report{Object: key, Status: diagnosed{}})
	reporter.Report(Report{Object: key, Status: diagnosed{faults: []unit.Verdict{fault}}})
	reporter.Report(Report{Object: key, Gone: true, Status: diagnosed{faults: []unit.Verdict{fault}}})
	for part, want := range map[string]int{
		`msg="object has a fault" object="Ingress shop/web" reason=Refused message="no listener"`:          1,
		`msg="object has a fault" object="Ingress shop/web" reason=NoMatchingParent message="no listener"`: 1,
		`msg="object is accepted again" object="Ingress shop/web"`:                                         1,
		"msg=": 5,
	} {
		if got := log.Count(part); got != want {
			t.Errorf("%d times %s, want %d", got, part, want)
		}
	}
}
