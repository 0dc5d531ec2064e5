package explain

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Explain returns what would answer a request with the configuration of a graph. For many requests,
// use [New].
func Explain(graph *unit.Graph, request Request) Answer { return New(graph).Explain(request) }

// Explain returns what would answer a request.
func (c *Configuration) Explain(request Request) Answer {
	a, chosen := c.predict(request)
	a.Near = c.near(chosen)
	a.Refused = c.findings(chosen, &a)
	a.Objects = objectsOf(a)
	return a
}

func (c *Configuration) predict(request Request) (Answer, arrival) {
	chosen, others := choose(c.arrivals(request))
	a := Answer{Request: chosen.asked(chosen.routed), Listener: c.listener(chosen), Certificate: c.certificate(chosen)}
	a.Unknown = elsewhere(others)
	if chosen.route == nil {
		c.noRoute(&a, chosen)
		return a, chosen
	}
	r := chosen.route
	route := r.route()
	a.Route = &route
	if code, by := redirected(r, chosen.Request); code != 0 {
		a.Statuses = []Status{{Code: code, By: "kong", Certain: true, Why: by}}
		a.Status, a.Plugins = code, c.ofResponses()
		if chosen.header("X-Forwarded-Proto") != "" {
			a.Status, a.Statuses[0].Certain = 0, false
			a.Unknown = append(a.Unknown, "whether Kong trusts the client's X-Forwarded-Proto (its setting trusted_ips)")
		}
		return a, chosen
	}
	run, ofConsumers := c.pluginsOf(r)
	a.Unknown = append(a.Unknown, forConsumers(ofConsumers)...)
	effects := map[string]effect{}
	for _, p := range run {
		effects[p.ID] = effectOf(p.pluginEntity, chosen.Request)
	}
	a.Plugins = ran(run, effects)
	if s := c.services[r.Service]; s != nil {
		a.Service = &Service{Name: s.Name, Object: s.object, Protocol: s.Protocol, Host: s.Host, Port: s.Port}
	}
	done, certain := a.answers(run, effects)
	if done {
		return a, chosen
	}
	a.Backends = c.backendsOf(r, run)
	a.backendStatuses(certain && len(ofConsumers) == 0)
	a.Unknown = append(a.Unknown, unhealthy(a.Backends)...)
	return a, chosen
}

// noRoute sets what happens to requests that no route takes.
func (c *Configuration) noRoute(a *Answer, at arrival) {
	if at.ofRequests() {
		a.Plugins = c.ofResponses()
		a.Status = http.StatusNotFound
		a.Statuses = []Status{{Code: http.StatusNotFound, By: "kong", Certain: true, Why: "no route matches"}}
	}
}

// redirected returns what Kong answers before any plugin of the route runs: to plain requests for a
// route for TLS only, and to requests for a gRPC route that are not gRPC.
func redirected(r *routeEntity, request Request) (status int, why string) {
	if !request.ofRequests() {
		return 0, ""
	}
	has := func(protocol string) bool { return slices.Contains(r.Protocols, protocol) }
	if has("https") && !has("http") && request.Scheme != "https" {
		return cmp.Or(r.HTTPSRedirect, http.StatusUpgradeRequired), "the route is for https, and the request is plain"
	}
	if (has("grpc") || has("grpcs")) && !strings.HasPrefix(request.header("Content-Type"), "application/grpc") {
		return http.StatusUnsupportedMediaType, "the route is for gRPC, and the request has no content type of gRPC"
	}
	return 0, ""
}

// answers sets what plugins answer. It reports whether one of them does, so that no backend gets the
// request, and whether the effects of all before it are certain.
func (a *Answer) answers(run []running, effects map[string]effect) (done, certain bool) {
	certain = true
	for _, p := range run {
		e := effects[p.ID]
		if e.unknown != "" {
			a.Unknown = append(a.Unknown, e.unknown)
			certain = false
		}
		a.Statuses = append(a.Statuses, e.perhaps...)
		if e.answer == 0 {
			continue
		}
		a.Statuses = append(a.Statuses, Status{Code: e.answer, By: p.Name, Certain: certain, Why: e.why})
		if certain {
			a.Status = e.answer
		}
		return true, certain
	}
	return false, certain
}

// backendStatuses sets what the gateway answers for backends without endpoints. Certain is whether
// requests reach them.
func (a *Answer) backendStatuses(certain bool) {
	for _, b := range a.Backends {
		if b.Status != 0 && !b.refused {
			why := fmt.Sprintf("%s, for %.0f %% of the requests", b.Why, b.Percent)
			if len(a.Backends) == 1 {
				why = b.Why
			}
			a.Statuses = append(a.Statuses, Status{Code: b.Status, By: "kong", Certain: certain && len(a.Backends) == 1, Why: why})
		}
	}
	if len(a.Backends) == 1 && certain {
		a.Status = a.Backends[0].Status
	}
}

// objectsOf returns the objects that take part in an answer.
func objectsOf(a Answer) (all []Object) {
	add := func(o Object) {
		if o != (Object{}) && !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	if a.Listener != nil {
		add(a.Listener.Object)
	}
	if a.Certificate != nil {
		add(a.Certificate.Object)
	}
	if a.Route != nil {
		add(a.Route.Object)
	}
	for _, p := range a.Plugins {
		add(p.Object)
	}
	if a.Service != nil {
		add(a.Service.Object)
	}
	return all
}
