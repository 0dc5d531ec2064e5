package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	// waitDefault and waitMost bound how long /wait waits.
	waitDefault = 5 * time.Minute
	waitMost    = time.Hour
	// beat is how often a stream of changes says that it is alive.
	beat = 15 * time.Second
)

// Handler returns the read-only HTTP API. All answers are JSON:
//
//	/status                   the [Status]
//	/routes?query=…&page=…    a [Page] of routes
//	/routes/{id}              a [Route]
//	/changes                  the last changes; as server-sent events if the client accepts them
//	/wait?timeout=30s         answers once everything that the cluster has now is effective
func (i *Inspector) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { write(w, i.Status(r.Context()), nil) })
	mux.HandleFunc("GET /routes", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0 for none
		found, err := i.Routes(r.Context(), r.URL.Query().Get("query"), page)
		write(w, found, err)
	})
	mux.HandleFunc("GET /routes/{id}", func(w http.ResponseWriter, r *http.Request) {
		route, err := i.Route(r.Context(), r.PathValue("id"))
		write(w, route, err)
	})
	mux.HandleFunc("GET /changes", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == "text/event-stream" {
			i.Stream(w, r, func(change Change) (any, error) { return change, nil })
			return
		}
		write(w, i.Changes(), nil)
	})
	mux.HandleFunc("GET /wait", i.wait)
	return mux
}

// write writes a value as JSON, or an error.
func write(w http.ResponseWriter, value any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(StatusOf(err))
		value = map[string]string{"message": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(value) // the client is gone
}

// StatusOf returns the HTTP status of an error of an inspector.
func StatusOf(err error) int {
	switch {
	case errors.Is(err, ErrNoRoute):
		return http.StatusNotFound
	case errors.Is(err, ErrBusy):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// Stream sends changes as server-sent events until the client leaves. as turns a change into what is
// sent, as JSON.
func (i *Inspector) Stream(w http.ResponseWriter, r *http.Request, as func(Change) (any, error)) {
	changes, end, ok := i.Follow()
	if !ok {
		http.Error(w, "too many clients follow the changes", http.StatusServiceUnavailable)
		return
	}
	defer end()
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // a server without deadlines has none to lift
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	alive := time.NewTicker(beat)
	defer alive.Stop()
	send := func(event string) bool {
		_, err := fmt.Fprint(w, event)
		return err == nil && control.Flush() == nil
	}
	for ok := send("retry: 2000\n\n"); ok; {
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			ok = send(": alive\n\n")
		case change := <-changes:
			value, err := as(change)
			if err != nil {
				continue
			}
			line, err := json.Marshal(value)
			if err == nil {
				ok = send("id: " + strconv.FormatUint(change.ID, 10) + "\nevent: change\ndata: " + string(line) + "\n\n")
			}
		}
	}
}

func (i *Inspector) wait(w http.ResponseWriter, r *http.Request) {
	within := waitDefault
	if text := r.URL.Query().Get("timeout"); text != "" {
		given, err := time.ParseDuration(text)
		if err != nil || given <= 0 {
			http.Error(w, fmt.Sprintf("timeout=%q: want a duration such as 30s", text), http.StatusBadRequest)
			return
		}
		within = min(given, waitMost)
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	write(w, map[string]bool{"effective": true}, i.AwaitEffective(ctx))
}
