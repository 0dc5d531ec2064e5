package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// fakeKong answers like Kong 3.9.3, depending on fields of the entities: it refuses one with "bad"
// with its text, and one with "silent" without naming it; "crash" is an internal error, "hang" gets
// no answer and "die" closes the connection. Names and ids are unique, and references have to
// resolve.
type fakeKong struct {
	mu      sync.Mutex
	hash    string
	config  map[string][]map[string]any
	loads   int
	vets    int                // questions about plugins alone
	mute    bool               // answers these with an error
	answers []http.HandlerFunc // the next answers on /config

	healthy  bool   // never hangs or dies
	stalls   int    // number of next requests without an answer
	hanging  int    // workers that hang
	failures int    // requests that it hung, crashed or died over
	deaths   int    // number of next requests that it dies over
	onDeath  func() // called when it dies; may be nil
	passing  int    // number of next requests that fail

	maxBody int  // limit of a request in bytes; 0 for none
	maxMap  int  // limit of a configuration in bytes; 0 for none
	disk    bool // maxMap is the limit of the disk

	companion bool // takes deltas
	deltas    int
	took      []adminapi.Delta // those that changed something
	examined  int              // questions about separate entities
	stale     bool             // its workers use an older configuration
	late      bool             // and report it after a delta

	answer func(adminapi.Delta) string // returns the entity of a delta that it refuses, or ""; may be nil

	told func() // after each change of the configuration; may be nil
}

const zeros = "00000000000000000000000000000000"

func serve(t *testing.T, listener net.Listener, handler http.Handler) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

// pipes connect a client to a server in memory. In a bubble of [synctest] the clock stands still
// while anything runs, so that only a request without an answer times out.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "memory"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

func newFakeKong(t *testing.T) (*fakeKong, *adminapi.Client) {
	t.Helper()
	fake, listener := &fakeKong{hash: zeros}, &pipes{conns: make(chan net.Conn)}
	serve(t, listener, fake)
	admin, err := adminapi.NewClient("unix:memory", 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	admin.HTTP.Transport.(*http.Transport).DialContext = listener.dial
	return fake, admin
}

func (f *fakeKong) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/status" {
		fmt.Fprintf(w, `{"configuration_hash":%q,"server":{}}`, f.hash)
		return
	}
	if r.URL.Path == "/kube-sync/delta" {
		f.serveCompanion(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if f.fails(w, r, body) {
		return
	}
	if bytes.Contains(body, []byte(stubs["route"].ID)) {
		f.vets++
		if f.mute {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	} else if f.loads++; len(f.answers) > 0 {
		answer := f.answers[0]
		f.answers = f.answers[1:]
		answer(w, r)
		return
	}
	if r.Header.Get("Content-Type") != "text/yaml" || r.ContentLength != int64(len(body)) {
		http.Error(w, `{"message":"not as it has to be sent"}`, http.StatusUnsupportedMediaType)
		return
	}
	if r.URL.Query().Get("check_hash") == "1" && f.hash == hashOf(body) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil {
		refuse(w, map[string]any{"error": "failed parsing declarative configuration"}, nil)
		return
	}
	config := map[string][]map[string]any{}
	for name, raw := range top {
		if name != "_format_version" {
			var list []map[string]any
			_ = json.Unmarshal(raw, &list)
			config[name] = list
		}
	}
	f.load(w, r.URL.Query().Get("flatten_errors") == "1", body, config)
}

func (f *fakeKong) load(w http.ResponseWriter, flatten bool, body []byte, config map[string][]map[string]any) {
	rows, silent, crash := faults(config)
	for _, row := range rows {
		delete(row.(map[string]any), "rival_id") // only the companion has it
	}
	switch {
	case crash:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"message":"An unexpected error occurred"}`)
	case silent:
		refuseSaying(w, fmt.Sprintf("declarative config is invalid: %v", silentOf(config)), map[string]any{}, nil)
	case len(rows) > 0 && flatten:
		refuse(w, map[string]any{}, rows)
	case len(rows) > 0:
		refuse(w, map[string]any{"routes": []any{nil, map[string]any{"bad": "by position"}}}, nil)
	default:
		if dangling := danglers(config); len(dangling) > 0 {
			if flatten {
				dangling = map[string]any{}
			}
			refuse(w, dangling, nil)
			return
		}
		if f.full(w, config, false) {
			return
		}
		f.hash, f.config = hashOf(body), config
		if f.told != nil {
			f.told()
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(body)
	}
}

// fails hangs or closes the connection if an entity in the request asks for that.
func (f *fakeKong) fails(w http.ResponseWriter, r *http.Request, body []byte) bool {
	switch {
	case f.maxBody > 0 && len(body) > f.maxBody:
		http.Error(w, "<html>413 Request Entity Too Large</html>", http.StatusRequestEntityTooLarge)
	case f.passing > 0:
		f.passing--
		w.WriteHeader(http.StatusInternalServerError)
	case bytes.Contains(body, []byte(`"crash":true`)):
		f.failures++
		return false
	case f.stalls > 0:
		f.stalls--
		f.mu.Unlock()
		<-r.Context().Done()
		f.mu.Lock()
	case !f.healthy && bytes.Contains(body, []byte(`"hang":true`)):
		f.failures, f.hanging = f.failures+1, f.hanging+1
		f.mu.Unlock() // other workers answer
		<-r.Context().Done()
		time.Sleep(20 * time.Millisecond) // until it is killed
		f.mu.Lock()
		f.hanging--
	case f.deaths > 0, !f.healthy && bytes.Contains(body, []byte(`"die":true`)):
		f.failures, f.deaths = f.failures+1, max(0, f.deaths-1)
		if f.onDeath != nil {
			f.onDeath()
		}
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.Close()
	default:
		return false
	}
	return true
}

// full answers that a configuration does not fit, if that is so.
func (f *fakeKong) full(w http.ResponseWriter, config map[string][]map[string]any, companion bool) bool {
	all, _ := json.Marshal(config)
	if f.maxMap == 0 || len(all) <= f.maxMap {
		return false
	}
	if f.disk && companion {
		http.Error(w, `{"message":"Configuration does not fit on the disk of Kong's LMDB database"}`, http.StatusRequestEntityTooLarge)
		return true
	} else if f.disk {
		http.Error(w, `{"message":"An unexpected error occurred"}`, http.StatusInternalServerError)
		return true
	}
	http.Error(w, `{"message":"Configuration does not fit in LMDB database, consider raising the \"lmdb_map_size\" config for Kong"}`, http.StatusRequestEntityTooLarge)
	return true
}

// silentOf returns what the message quotes of entities that are not named.
func silentOf(config map[string][]map[string]any) (quoted []any) {
	for _, typ := range kong.Types {
		for _, e := range config[string(typ)] {
			if e["silent"] != nil {
				quoted = append(quoted, e["silent"])
			}
		}
	}
	return quoted
}

func refuse(w http.ResponseWriter, fields map[string]any, rows []any) {
	refuseSaying(w, fmt.Sprintf("declarative config is invalid: %v", fields), fields, rows)
}

func refuseSaying(w http.ResponseWriter, message string, fields map[string]any, rows []any) {
	answer := map[string]any{
		"code": 14, "name": "invalid declarative configuration", "message": message, "fields": fields,
	}
	if rows != nil {
		answer["flattened_errors"] = rows
	} else {
		answer["flattened_errors"] = map[string]any{}
	}
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(answer)
}

// faults returns what Kong finds in its first pass.
func faults(config map[string][]map[string]any) (rows []any, silent, crash bool) {
	row := func(typ string, entity map[string]any, field, message string, rival any) {
		rows = append(rows, map[string]any{
			"entity_type": typ[:len(typ)-1], "entity_id": entity["id"], "entity_name": entity["name"],
			"entity_tags": entity["tags"], "entity": entity,
			"rival_id": rival, "errors": []any{map[string]any{"type": "field", "field": field, "message": message}},
		})
	}
	for _, typ := range kong.Types {
		names, ids := map[any]any{}, map[any]bool{}
		for _, e := range config[string(typ)] {
			silent = silent || e["silent"] != nil
			crash = crash || e["crash"] != nil
			if e["bad"] != nil {
				row(string(typ), e, "bad", fmt.Sprint(e["bad"]), nil)
			}
			if ids[e["id"]] {
				row(string(typ), e, "@entity", fmt.Sprintf("uniqueness violation: '%s' entity with primary key set to '%v' already declared", typ, e["id"]), nil)
			} else if typ != kong.Plugins && e["name"] != nil && names[e["name"]] != nil {
				row(string(typ), e, "@entity", fmt.Sprintf("uniqueness violation: '%s' entity with name set to '%v' already declared", typ, e["name"]), names[e["name"]])
			}
			if names[e["name"]] == nil {
				names[e["name"]] = e["id"]
			}
			ids[e["id"]] = true
		}
	}
	return rows, silent, crash
}

// danglers returns broken references, by type and then name or id.
func danglers(config map[string][]map[string]any) map[string]any {
	ids := map[any]bool{}
	for _, list := range config {
		for _, e := range list {
			ids[e["id"]] = true
		}
	}
	found := map[string]any{}
	for typ, list := range config {
		for _, e := range list {
			for _, field := range []string{"service", "upstream", "route", "certificate"} {
				if e[field] == nil || ids[e[field]] {
					continue
				}
				key := e["id"].(string)
				if e["name"] != nil {
					key = e["name"].(string)
				}
				if found[typ] == nil {
					found[typ] = map[string]any{}
				}
				found[typ].(map[string]any)[key] = []string{fmt.Sprintf("invalid reference '%s: %v' (no such entry in '%ss')", field, e[field], field)}
			}
		}
	}
	return found
}

// names returns the names of Kong's entities of a type.
func (f *fakeKong) names(typ kong.Type) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := []string{}
	for _, e := range f.config[string(typ)] {
		names = append(names, e["name"].(string))
	}
	slices.Sort(names)
	return names
}

// graph is a translation that tests fill by hand.
type graph struct {
	views   map[unit.ID]unit.View
	version uint64
}

func (g *graph) View(id unit.ID) (unit.View, bool) {
	view, ok := g.views[id]
	return view, ok
}

func (g *graph) Units() iter.Seq[unit.View] {
	ids := make([]unit.ID, 0, len(g.views))
	for id := range g.views {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, unit.ID.Compare)
	return func(yield func(unit.View) bool) {
		for _, id := range ids {
			if !yield(g.views[id]) {
				return
			}
		}
	}
}

func ingress(name string) unit.ID { return unit.ID{Role: "ingress", Namespace: "shop", Name: name} }
func backend(name string) unit.ID { return unit.ID{Role: "backend", Namespace: "shop", Name: name} }

// set replaces the entities of a unit.
func (g *graph) set(id unit.ID, entities ...*kong.Entity) {
	if g.views == nil {
		g.views = map[unit.ID]unit.View{}
	}
	kind := unit.Ingress
	if id.Role == "backend" {
		kind = unit.Service
	}
	g.version++
	g.views[id] = unit.View{
		ID: id, Object: unit.Key{Kind: kind, Namespace: id.Namespace, Name: id.Name},
		Entities: entities, Version: g.version,
	}
}

// uid returns a stable id for a name.
func uid(typ kong.Type, name string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(string(typ)+"/"+name)).String()
}

// entity returns an entity with further fields, given as alternating names and values. The fields
// "service", "route" and "certificate" refer by name.
func entity(typ kong.Type, name string, fields ...any) *kong.Entity {
	e := &kong.Entity{Ref: kong.Ref{Type: typ, ID: uid(typ, name)}, Name: name}
	content := map[string]any{"id": e.ID, "name": name}
	if typ == kong.Certificates {
		delete(content, "name")
	}
	for i := 0; i < len(fields); i += 2 {
		field, value := fields[i].(string), fields[i+1]
		switch field {
		case "service", "route", "certificate":
			parent := kong.Ref{Type: kong.Type(field + "s"), ID: uid(kong.Type(field+"s"), value.(string))}
			e.Parents = append(e.Parents, parent)
			value = parent.ID
		case "id":
			e.ID = value.(string)
		}
		content[field] = value
	}
	e.JSON, _ = json.Marshal(content)
	return e
}
