package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// scopeNames are the scopes of plugins without a consumer, the most specific first: Kong runs one
// plugin of each name.
var scopeNames = []string{"route and service", "route", "service", "global"}

// scope returns the index of the scope in which a plugin applies to a route; false if it does not.
func (p *pluginEntity) scope(r *routeEntity) (int, bool) {
	ofRoute, ofService := p.Route == r.ID, p.Service == r.Service
	switch {
	case p.Route != "" && !ofRoute, p.Service != "" && !ofService:
		return 0, false
	case p.Route != "" && p.Service != "":
		return 0, true
	case p.Route != "":
		return 1, true
	case p.Service != "":
		return 2, true
	}
	return 3, true
}

// running is a plugin that runs for a route.
type running struct {
	*pluginEntity
	scope int
}

// pluginsOf returns the plugins that run for a route, in order, as long as no consumer is known, and
// the plugins that run instead for some consumers.
func (c *Configuration) pluginsOf(r *routeEntity) (run []running, ofConsumers []running) {
	found := map[string]running{}
	for _, p := range c.plugins {
		scope, ok := p.scope(r)
		if !ok || !p.sees(r) {
			continue
		}
		if p.Consumer != "" {
			ofConsumers = append(ofConsumers, running{p, scope})
			continue
		}
		if other, ok := found[p.Name]; !ok || scope < other.scope {
			found[p.Name] = running{p, scope}
		}
	}
	for _, p := range found {
		run = append(run, p)
	}
	inOrder(run)
	inOrder(ofConsumers)
	return run, ofConsumers
}

// inOrder sorts plugins as Kong runs them: of equal priorities, the last name runs first.
func inOrder(all []running) {
	slices.SortFunc(all, func(a, b running) int {
		return cmp.Or(cmp.Compare(priorities[b.Name], priorities[a.Name]), strings.Compare(b.Name, a.Name), strings.Compare(a.ID, b.ID))
	})
}

// streamPlugins are the plugins that run for streams if they do not name protocols.
var streamPlugins = []string{"kube-sync-stream", "kube-sync-closed", "kube-sync-tenants", "kube-sync-delta"}

// sees reports whether a plugin runs in the part of Kong that has the route: the one for requests or
// the one for streams.
func (p *pluginEntity) sees(r *routeEntity) bool {
	if len(p.Protocols) == 0 {
		return !isStream(r.Protocols) || slices.Contains(streamPlugins, p.Name)
	}
	ofStreams := func(name string) bool { return isStream([]string{name}) }
	if isStream(r.Protocols) {
		return slices.ContainsFunc(p.Protocols, ofStreams)
	}
	return slices.ContainsFunc(p.Protocols, func(name string) bool { return !ofStreams(name) })
}

// ofResponses returns the global plugins, which see the answers that Kong gives before plugins of the
// route run.
func (c *Configuration) ofResponses() []Plugin {
	run, _ := c.pluginsOf(&routeEntity{ID: "none", Service: "none"})
	all := ran(run, nil)
	for i := range all {
		all[i].Effect = "does not see the request, and may change the response"
	}
	return all
}

// internal are this project's plugins that run for all requests and that no object asks for.
var internal = []string{"kube-sync-ports", "kube-sync-tenants", "kube-sync-request", "kube-sync-router", "kube-sync-delta"}

// ran returns plugins for the answer.
func ran(run []running, effects map[string]effect) (all []Plugin) {
	for _, p := range run {
		if slices.Contains(internal, p.Name) {
			continue
		}
		all = append(all, Plugin{Name: p.Name, ID: p.ID, Scope: scopeNames[p.scope], Object: p.object, Effect: effects[p.ID].text, Unknown: effects[p.ID].unknown})
	}
	return all
}

// forConsumers says that other plugins run for some consumers.
func forConsumers(run []running) (unknown []string) {
	const most = 5
	for i, p := range run {
		if i == most {
			return append(unknown, fmt.Sprintf("%d more plugins run for single consumers", len(run)-most))
		}
		unknown = append(unknown, fmt.Sprintf("who the client is: for one consumer, %s of %s runs", p.Name, p.object))
	}
	return unknown
}
