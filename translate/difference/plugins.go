package difference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// applied is a plugin that applies to a route, named as people know it.
type applied struct {
	made
	// name is the name of its object, or of the plugin if no object names it.
	name string
	// message is set if the plugin answers 503 to all requests.
	message string
}

// pluginsOf returns the plugins of a route and of its service, by name.
func (s side) pluginsOf(r route) map[string]applied {
	found := map[string]applied{}
	for _, ref := range slices.Concat(s.children[r.service], s.children[r.Ref]) {
		if ref.Type != kong.Plugins {
			continue
		}
		p := applied{made: s.entities[ref]}
		f := fieldsOf(p.Entity)
		p.name = p.Name
		object, named := f.object()
		switch {
		case named && isPlugin(object.Kind):
			p.name = shortName(object, r.owner)
			if object.Name != p.Name {
				p.name += " (" + p.Name + ")"
			}
		case strings.HasPrefix(p.Name, ownPlugins):
			p.name += ", which applies filters"
		case isRefusal(p.Entity):
			p.message = cmp.Or(f.Config.Message, "the route cannot be served")
		}
		found[p.name] = p
	}
	return found
}

// ownPlugins is the prefix of the plugins that filters become.
const ownPlugins = "kube-sync-"

func isPlugin(kind unit.Kind) bool { return kind == unit.KongPlugin || kind == unit.KongClusterPlugin }

// isRefusal reports whether an entity is the plugin that answers 503 in place of a route.
func isRefusal(e *kong.Entity) bool {
	var f struct {
		Config struct {
			Message string `json:"message"`
		} `json:"config"`
	}
	if json.Unmarshal(e.JSON, &f) != nil {
		return false
	}
	refusal := kong.Refusal(f.Config.Message, nil, kong.Ref{}, "")
	return e.Name == refusal.Name && bytes.Equal(configOf(e), configOf(refusal))
}

func configOf(e *kong.Entity) json.RawMessage {
	var f struct {
		Config json.RawMessage `json:"config"`
	}
	_ = json.Unmarshal(e.JSON, &f)
	return f.Config
}

// event is what happens to a plugin on several routes.
type event struct {
	owner      unit.Key
	verb, what string
}

// plugins says which routes gain and lose plugins, and whose plugins change.
func (c *comparison) plugins() {
	events := grouped[event, pair]{}
	refs := map[event][]kong.Ref{}
	note := func(p pair, verb, what string, entities ...made) {
		e := event{p.after.owner, verb, what}
		events.add(e, p)
		for _, m := range entities {
			refs[e] = append(refs[e], m.Ref)
		}
	}
	for _, p := range c.pairs {
		if !p.isKept() || !c.pluginsDiffer(p) {
			continue
		}
		before, after := c.before.pluginsOf(p.before), c.after.pluginsOf(p.after)
		for _, name := range slices.Sorted(maps.Keys(before)) {
			was := before[name]
			is, kept := after[name]
			switch {
			case !kept && was.message != "":
				note(p, "no longer answer 503", "", was.made)
			case !kept:
				note(p, "lose plugin", name, was.made)
			case was.message != is.message && is.message != "":
				note(p, "answer 503 to all requests", ": "+is.message, is.made)
			case !bytes.Equal(settings(was.Entity), settings(is.Entity)):
				note(p, "get other settings of plugin", name+changedSettings(was.Entity, is.Entity), was.made, is.made)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if _, had := before[name]; had {
				continue
			}
			if is := after[name]; is.message != "" {
				note(p, "answer 503 to all requests", ": "+is.message, is.made)
			} else {
				note(p, "gain plugin", name, is.made)
			}
		}
	}
	for _, e := range events.keys {
		c.sayEvent(e, events.values[e], refs[e])
	}
}

// pluginsDiffer reports whether a plugin of a route or of its service differs.
func (c *comparison) pluginsDiffer(p pair) bool {
	differs := func(ref kong.Ref) bool { return ref.Type == kong.Plugins && c.differs(ref) }
	return slices.ContainsFunc(c.before.children[p.before.Ref], differs) || slices.ContainsFunc(c.before.children[p.before.service], differs) ||
		slices.ContainsFunc(c.after.children[p.after.Ref], differs) || slices.ContainsFunc(c.after.children[p.after.service], differs)
}

func (c *comparison) sayEvent(e event, pairs []pair, refs []kong.Ref) {
	subject := plural(len(pairs), "route")
	verb := e.verb
	if len(pairs) == 1 {
		subject = c.where(pairs[0].after)
		verb = singular(verb)
	}
	what := e.what
	if what != "" && !strings.HasPrefix(what, ":") {
		what = " " + what
	}
	c.say(e.owner, refs, "%s %s%s", subject, verb, what)
}

// singular returns a phrase about several routes as one about a single route.
func singular(verb string) string {
	first, rest, _ := strings.Cut(verb, " ")
	switch first {
	case "no":
		return "no longer answers 503"
	case "lose":
		return "loses " + rest
	}
	return strings.TrimSpace(first + "s " + rest)
}

// settings returns what is the same for a plugin on all routes.
func settings(e *kong.Entity) []byte {
	var all map[string]json.RawMessage
	if json.Unmarshal(e.JSON, &all) != nil {
		return e.JSON
	}
	for _, name := range []string{"id", "route", "service", "consumer", "tags", "instance_name"} {
		delete(all, name)
	}
	encoded, _ := json.Marshal(all)
	return encoded
}

// changedSettings names the fields of a plugin's configuration that differ: ": minute, policy".
func changedSettings(before, after *kong.Entity) string {
	fields := differing(configOf(before), configOf(after))
	if len(fields) == 0 {
		return ""
	}
	return fmt.Sprintf(": config.%s", strings.Join(fields, ", config."))
}
