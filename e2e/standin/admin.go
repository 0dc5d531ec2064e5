package standin

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/standin/declarative"
	"github.com/kube-sync/kube-sync/e2e/standin/proxy"
	"github.com/kube-sync/kube-sync/e2e/standin/settings"
)

// Version is the version of Kong that the stand-in imitates, marked as the stand-in's.
const Version = "3.9.3-standin"

// adminHandler returns the Admin API.
func (g *Gateway) adminHandler(a settings.Address) http.Handler {
	if a.Network == "tcp" && g.settings.AdminOnSocketOnly() {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			reply(w, http.StatusForbidden, message("Forbidden"))
		})
	}
	mux := http.NewServeMux()
	g.addStatus(mux)
	mux.HandleFunc("GET /{$}", g.getRoot)
	mux.HandleFunc("GET /config", g.getConfig)
	mux.HandleFunc("POST /config", g.postConfig)
	mux.HandleFunc("GET /{collection}", g.getCollection)
	mux.HandleFunc("/", notFound)
	return mux
}

// statusHandler returns the Status API.
func (g *Gateway) statusHandler() http.Handler {
	mux := http.NewServeMux()
	g.addStatus(mux)
	mux.HandleFunc("/", notFound)
	return mux
}

func (g *Gateway) addStatus(mux *http.ServeMux) {
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"configuration_hash": g.Hash(), "server": map[string]any{}})
	})
	mux.HandleFunc("GET /status/ready", func(w http.ResponseWriter, _ *http.Request) {
		if g.Hash() == emptyHash {
			reply(w, http.StatusServiceUnavailable,
				message("no configuration available (empty configuration present)"))
			return
		}
		reply(w, http.StatusOK, message("ready"))
	})
}

func (g *Gateway) getRoot(w http.ResponseWriter, _ *http.Request) {
	available := map[string]any{}
	for _, name := range g.plugins {
		available[name] = map[string]string{"version": Version}
	}
	host, _ := os.Hostname() // for show
	reply(w, http.StatusOK, map[string]any{
		"version":  Version,
		"tagline":  "A stand-in for Kong Gateway, to try kube-sync out. It is not Kong.",
		"hostname": host,
		"plugins":  map[string]any{"available_on_server": available},
		"configuration": map[string]any{
			"database": "off", "router_flavor": "expressions", "role": "traditional",
			"prefix": g.settings["prefix"], "plugins": g.plugins,
		},
	})
}

func (g *Gateway) getConfig(w http.ResponseWriter, _ *http.Request) {
	text, err := yaml.JSONToYAML(g.loaded.Load().body)
	if err != nil { // it was YAML already
		text = g.loaded.Load().body
	}
	reply(w, http.StatusOK, map[string]string{"config": string(text)})
}

// getCollection lists the entities of a collection, on one page.
func (g *Gateway) getCollection(w http.ResponseWriter, r *http.Request) {
	collection := r.PathValue("collection")
	if !slices.Contains(strings.Fields("certificates plugins routes services snis targets upstreams"), collection) {
		notFound(w, r)
		return
	}
	list := []declarative.Entity{}
	for _, e := range g.loaded.Load().config.Entities[collection] {
		list = append(list, e)
	}
	reply(w, http.StatusOK, map[string]any{"data": list, "next": nil})
}

func (g *Gateway) postConfig(w http.ResponseWriter, r *http.Request) {
	body, status, err := readConfig(r)
	if err != nil {
		reply(w, status, message(err.Error()))
		return
	}
	g.applying.Lock()
	defer g.applying.Unlock()
	if r.URL.Query().Get("check_hash") == "1" && g.Hash() == hashOf(body) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	config, err := g.apply(body)
	var refusal *declarative.Refusal
	switch {
	case errors.As(err, &refusal):
		// kube-sync also asks whether Kong would accept something, and reports what concerns an object.
		g.log.Info("configuration refused", "error", refusal)
		if truthy(r.URL.Query().Get("flatten_errors")) {
			refusal = refusal.Flatten()
		}
		reply(w, http.StatusBadRequest, refusal)
	case err != nil:
		g.log.Error("configuration not loaded", "error", err)
		reply(w, http.StatusInternalServerError, message("An unexpected error occurred"))
	default:
		reply(w, http.StatusCreated, config.Entities)
	}
}

// readConfig returns the configuration in a request: the body, or the value of "config" in
// a JSON body.
func readConfig(r *http.Request) (body []byte, status int, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "text/yaml", "application/yaml", "application/json":
	default:
		return nil, http.StatusUnsupportedMediaType, errors.New("the stand-in gateway takes text/yaml, application/yaml and application/json")
	}
	if body, err = io.ReadAll(r.Body); err != nil {
		return nil, http.StatusBadRequest, err
	}
	var wrapped struct{ Config string }
	if kind == "application/json" && json.Unmarshal(body, &wrapped) == nil && wrapped.Config != "" {
		body = []byte(wrapped.Config)
	}
	if len(body) == 0 {
		return nil, http.StatusBadRequest, errors.New("expected a declarative configuration")
	}
	return body, 0, nil
}

func truthy(s string) bool {
	return slices.Contains([]string{"true", "1", "on", "yes"}, strings.ToLower(s))
}

func message(s string) map[string]string { return map[string]string{"message": s} }

func notFound(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusNotFound, message("Not found"))
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Server", proxy.Product)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client's loss if it is gone
}
