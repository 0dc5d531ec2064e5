package doctor

import (
	"fmt"

	"github.com/kube-sync/kube-sync/plugin/cli/output"
)

// State says how serious a finding is.
type State string

// The states. Unknown findings could not be made from where doctor runs.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failure State = "failure"
	Unknown State = "unknown"
)

// Finding is the result of one examination.
type Finding struct {
	// Area is what was examined: "rights", "lease".
	Area    string `json:"area"`
	State   State  `json:"state"`
	Message string `json:"message"`
	// Do is what to do about it; empty if nothing needs to be done.
	Do string `json:"do,omitempty"`
}

// Report is the result of all examinations of a gateway.
type Report struct {
	// Gateway is the namespace and name of the gateway's release; empty if none was found.
	Gateway  string    `json:"gateway"`
	Findings []Finding `json:"findings"`
}

// Failed reports whether there is a failure.
func (r Report) Failed() bool {
	for _, f := range r.Findings {
		if f.State == Failure {
			return true
		}
	}
	return false
}

// styles are how states are printed.
var styles = map[State]output.Style{OK: output.Green, Warning: output.Yellow, Failure: output.Red, Unknown: output.Faint}

var marks = map[State]string{OK: "OK", Warning: "WARN", Failure: "FAIL", Unknown: "?"}

// Page writes the report for people.
func (r Report) Page(p *output.Page) {
	if r.Gateway != "" {
		p.Heading("Gateway " + r.Gateway)
	}
	var rows [][]any
	for _, f := range r.Findings {
		rows = append(rows, []any{output.Styled(styles[f.State], marks[f.State]), f.Area, f.Message})
		if f.Do != "" {
			rows = append(rows, []any{"", "", output.Styled(output.Bold, "→ "+f.Do)})
		}
	}
	p.Table(nil, rows...)
}

// findings collects the findings of one area.
type findings struct {
	area string
	all  []Finding
}

func (f *findings) add(state State, do, format string, args ...any) {
	f.all = append(f.all, Finding{Area: f.area, State: state, Message: fmt.Sprintf(format, args...), Do: do})
}

func (f *findings) ok(format string, args ...any) { f.add(OK, "", format, args...) }

// unknown adds that something cannot be examined.
func (f *findings) unknown(do, format string, args ...any) { f.add(Unknown, do, format, args...) }

// unread adds that the API server did not answer a question, or did not permit it.
func (f *findings) unread(what string, err error) {
	f.unknown("", "%s cannot be read: %v", what, err)
}
