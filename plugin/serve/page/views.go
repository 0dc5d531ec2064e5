package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kube-sync/kube-sync/plugin/inspect"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"rfc3339": func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"clock":   clock,
	"second":  func(t time.Time) string { return t.UTC().Format(time.TimeOnly) },
	"short":   short,
	"hosts":   hosts,
	"health":  healthClass,
}).ParseFS(files, "templates/*.html"))

// clock returns the time of today in milliseconds, and the date of other days.
func clock(t time.Time) string {
	if t = t.UTC(); time.Since(t) < 20*time.Hour {
		return t.Format("15:04:05.000")
	}
	return t.Format("2006-01-02 15:04")
}

// short returns the start of a hash.
func short(hash string) string {
	if hash == "" {
		return "none"
	}
	return hash[:min(len(hash), 8)]
}

func hosts(names []string) string {
	if len(names) == 0 {
		return "all hosts"
	}
	return strings.Join(names, ", ")
}

func healthClass(health string) string {
	switch health {
	case "healthy":
		return "good"
	case "unhealthy", "address unknown":
		return "bad"
	}
	return ""
}

// views render the pages.
type views struct{ inspector *inspect.Inspector }

// frame is what all pages have.
type frame struct {
	Title string
	Nav   []entry
	Query string
	// Gateway says which gateway the page is about.
	Gateway string
}

// entry is a link of the navigation.
type entry struct {
	Path, Name string
	Current    bool
}

func newFrame(title, path string) frame {
	f := frame{Title: title, Nav: []entry{{Path: "/", Name: "Overview"}, {Path: "/routes", Name: "Routes"}, {Path: "/changes", Name: "Changes"}}}
	for i := range f.Nav {
		f.Nav[i].Current = f.Nav[i].Path == path
	}
	return f
}

// render writes a page. It renders all of it first, so that an error does not cut it off.
func render(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the client is gone
}

// message is a page with one sentence.
type message struct {
	frame
	Heading, Text string
}

func fail(w http.ResponseWriter, err error) {
	status, heading := inspect.StatusOf(err), "Not now"
	if errors.Is(err, inspect.ErrNoRoute) {
		heading = "No such route"
	}
	render(w, status, "message.html", message{newFrame(heading, ""), heading, sentence(err.Error())})
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

func (v views) missing(w http.ResponseWriter, _ *http.Request) {
	const heading = "No such page"
	render(w, http.StatusNotFound, "message.html", message{newFrame(heading, ""), heading, "The status page has an overview, routes and changes."})
}

func (v views) overview(w http.ResponseWriter, r *http.Request) {
	status := v.inspector.Status(r.Context())
	render(w, http.StatusOK, "overview.html", newOverview(status))
}

func (v views) changes(w http.ResponseWriter, _ *http.Request) {
	data := struct {
		frame
		Changes []change
	}{newFrame("Changes", "/changes"), changesOf(v.inspector.Changes())}
	render(w, http.StatusOK, "changespage", data)
}

// routesPage is a page of the table of routes.
type routesPage struct {
	frame
	inspect.Page
	Count          string
	Previous, Next string
}

func (v views) routes(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query().Get("q")
	number, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0 for none
	found, err := v.inspector.Routes(r.Context(), query, number)
	if err != nil {
		fail(w, err)
		return
	}
	data := routesPage{frame: newFrame("Routes", "/routes"), Page: found, Count: count(found, query)}
	data.Query = query
	if found.Page > 1 {
		data.Previous = pageURL(query, found.Page-1)
	}
	if found.Page < found.Pages {
		data.Next = pageURL(query, found.Page+1)
	}
	render(w, http.StatusOK, "routes.html", data)
}

func count(found inspect.Page, query string) string {
	if strings.TrimSpace(query) == "" {
		return plural(found.All, "route") + " in the order of hosts, and of one host in the order in which Kong tries them."
	}
	return fmt.Sprintf("%s of %s for “%s”.", number(found.Total), plural(found.All, "route"), query)
}

func pageURL(query string, page int) string {
	values := url.Values{"page": {strconv.Itoa(page)}}
	if query != "" {
		values.Set("q", query)
	}
	return "/routes?" + values.Encode()
}

// routePage is the page of one route.
type routePage struct {
	frame
	Route     inspect.Route
	Picture   picture
	Attention []attention
}

func (v views) route(w http.ResponseWriter, r *http.Request) {
	found, err := v.inspector.Route(r.Context(), r.PathValue("id"))
	if err != nil {
		fail(w, err)
		return
	}
	data := routePage{newFrame(hosts(found.Hosts), "/routes"), found, draw(found), attentionTo(found.Refusals, found.Faults)}
	render(w, http.StatusOK, "route.html", data)
}

// events sends a line about each change.
func (v views) events(w http.ResponseWriter, r *http.Request) {
	v.inspector.Stream(w, r, func(c inspect.Change) (any, error) {
		state := "acknowledged by Kong"
		if !c.Effective.IsZero() {
			state = "effective in every worker"
		}
		return map[string]any{"id": c.ID, "text": fmt.Sprintf("Change %d of %s is %s.", c.ID, plural(c.ObjectsTotal, "object"), state)}, nil
	})
}

// plural returns a number of things, such as "1 route" or "10 000 routes".
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return number(n) + " " + thing
}

// number returns a number with thin spaces between thousands.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
