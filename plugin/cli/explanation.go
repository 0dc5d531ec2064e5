package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/kube-sync/kube-sync/plugin/cli/output"
	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/field"
)

// write writes an explanation for people.
func (e explanation) write(page *output.Page) {
	row := func(name, format string, args ...any) {
		page.Line(fmt.Sprintf("%-12s"+format, append([]any{name}, args...)...))
	}
	row("Request", "%s", e.asked())
	page.Line(fmt.Sprintf("%-11s", "Answer"), output.Styled(e.style(), e.outcome()))
	if l := e.Listener; l != nil {
		row("Listener", "%s of %s", l.Name, e.at(l.Object, ""))
	}
	e.certificateRow(row)
	if r := e.Route; r != nil {
		row("Route", "%s", e.at(r.Object, r.Field))
		row("", "%s", r.Expression)
	}
	for i, p := range e.Plugins {
		row(first(i, "Plugins"), "%s", e.plugin(p))
	}
	if s := e.Service; s != nil {
		row("Service", "%s (%s)", e.at(s.Object, ""), s.Protocol)
	}
	for i, backend := range e.Backends {
		row(first(i, "Endpoints"), "%s", share(backend))
	}
	e.lists(page)
	if t := e.Tried; t != nil {
		page.Line()
		row("Tried", "%s", t)
	}
}

// first returns the title of the first of several rows.
func first(i int, title string) string {
	if i > 0 {
		return ""
	}
	return title
}

// style is that of the line that says who answers.
func (e explanation) style() output.Style {
	switch {
	case e.Status >= 400 || e.Route == nil:
		return output.Red
	case len(e.Statuses) > 0 && e.Status == 0:
		return output.Yellow
	}
	return output.Green
}

func (e explanation) asked() string {
	a := e.Request
	if a.Path == "" {
		return strings.TrimSpace(fmt.Sprintf("%s connection to port %d %s", a.Protocol, a.Port, a.SNI))
	}
	return fmt.Sprintf("%s %s://%s:%d%s", a.Method, a.Protocol, a.Host, a.Port, a.Path)
}

// outcome says in one line who answers what.
func (e explanation) outcome() string {
	switch {
	case e.Status != 0:
		return fmt.Sprintf("%d %s, by %s: %s", e.Status, http.StatusText(e.Status), e.Statuses[0].By, e.Statuses[0].Why)
	case e.Route == nil:
		return "the connection is closed: no route matches"
	case len(e.Statuses) > 0:
		return fmt.Sprintf("perhaps %d %s, by %s: %s", e.Statuses[0].Code, http.StatusText(e.Statuses[0].Code), e.Statuses[0].By, e.Statuses[0].Why)
	}
	return "a backend answers"
}

func (e explanation) certificateRow(row func(name, format string, args ...any)) {
	c := e.Certificate
	switch overTLS := e.Request.Protocol == "https" || e.Request.Protocol == "tls"; {
	case !overTLS:
	case c == nil && (e.Route == nil || !strings.Contains(strings.Join(e.Route.Protocols, " "), "passthrough")):
		row("Certificate", "Kong's own: no object has a certificate for %s", e.Request.SNI)
	case c == nil:
	default:
		row("Certificate", "%s for %s, valid until %s", e.at(c.Object, ""), c.ServerName, c.NotAfter.Format("2006-01-02"))
	}
}

// at names a part of an object, and the file and line if they are known.
func (e explanation) at(o explain.Object, path field.Path) string {
	text := o.String()
	if path != "" {
		text += ", " + path.String()
	}
	if position, ok := e.Positions[place(o, path)]; ok {
		text += " (" + position + ")"
	}
	return text
}

func (e explanation) plugin(p explain.Plugin) string {
	text := p.Name + " (" + p.Scope + ")"
	if p.Object != (explain.Object{}) {
		text += " of " + e.at(p.Object, "")
	}
	if p.Effect != "" {
		text += ": " + p.Effect
	}
	return text
}

// share returns a backend with its endpoints.
func share(b explain.Backend) string {
	var text []string
	if b.Percent < 100 {
		text = append(text, fmt.Sprintf("%.4g %%:", b.Percent))
	}
	if b.Status != 0 {
		return strings.Join(append(text, fmt.Sprintf("none, answers %d: %s", b.Status, b.Why)), " ")
	}
	const most = 5
	for _, e := range b.Endpoints[:min(len(b.Endpoints), most)] {
		text = append(text, e.Address)
	}
	if more := len(b.Endpoints) - most; more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	if b.Relayed {
		text = append(text, "(through the relay)")
	}
	return strings.Join(text, " ")
}

// lists appends problems, near routes, and what is unknown.
func (e explanation) lists(page *output.Page) {
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			page.Heading(title)
		}
		for _, line := range lines {
			page.Line("  " + line)
		}
	}
	var problems, near []string
	for _, f := range e.Refused {
		problems = append(problems, fmt.Sprintf("%s: %s: %s", e.at(f.Object, f.Field), f.Reason, f.Why))
	}
	for _, n := range e.Near {
		how := "does not match: "
		if n.Matches {
			how = "comes later: "
		}
		near = append(near, fmt.Sprintf("%s %s%s", e.at(n.Route.Object, n.Route.Field), how, n.Why))
	}
	list("Problems", problems)
	list("Other routes", near)
	list("Not known", e.Unknown)
}
