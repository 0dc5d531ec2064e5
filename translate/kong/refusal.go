package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// refusing is the plugin that answers instead of what clients must not reach. It runs before all
// plugins that can answer a request themselves, from a cache or by calling a function.
const refusing = "ip-restriction"

// closing is the plugin that answers 503 to all requests of the gateway. It is not a bundled
// plugin, so no route's plugin can override it.
const closing = "kube-sync-closed"

// Closed returns a global plugin that answers 503 to all requests. A Kong without that plugin
// falls back to a refusal.
func Closed(message string, tags []string) *Entity {
	config, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		panic(err) // strings only
	}
	e := Plugin(route.Plugin{Name: closing, Config: config, Tags: tags}, Ref{}, "")
	e.Instead = []*Entity{Refusal(message, tags, Ref{}, "")}
	return e
}

// Refusal returns a plugin that answers 503 to all requests of a holder.
func Refusal(message string, tags []string, holder Ref, holderName string) *Entity {
	return Plugin(refusalPlugin(message, tags), holder, holderName)
}

func refusalPlugin(message string, tags []string) route.Plugin {
	config, err := json.Marshal(map[string]any{
		"deny": []string{"0.0.0.0/0", "::/0"}, "status": 503, "message": message,
	})
	if err != nil {
		panic(err) // numbers and strings only
	}
	return route.Plugin{Name: refusing, Config: config, Tags: tags}
}

// refusedMessage is the message that clients get if Kong refused a plugin. The owner of the plugin
// gets the reason.
func refusedMessage(plugin string) string { return "the plugin " + plugin + " is not available" }

// Guarded returns a plugin whose Instead refuses all requests of the holder, because the holder may
// rely on the plugin for protection. This applies even to a plugin for a single consumer.
func Guarded(p route.Plugin, holder Ref, holderName string) *Entity {
	e := Plugin(p, holder, holderName)
	if holder == (Ref{}) {
		e.Instead = []*Entity{Closed(refusedMessage(p.Name), p.Tags)}
	} else {
		e.Instead = []*Entity{Refusal(refusedMessage(p.Name), p.Tags, holder, holderName)}
	}
	return e
}

// Substituted returns the entities of a unit as if Kong had refused all that have an Instead. The
// cost of each substitute is constant, whatever the size of the plugin that it replaces. Refusals
// protect what the plugins protected.
func Substituted(entities []*Entity) []*Entity {
	instead := map[Ref]*Entity{}
	for _, e := range entities {
		for _, other := range e.Instead {
			instead[other.Ref] = other
		}
	}
	var left []*Entity
	for _, e := range entities {
		if other, ok := instead[e.Ref]; ok {
			left = append(left, other)
			delete(instead, e.Ref)
		} else if e.Instead == nil {
			left = append(left, e)
		}
	}
	for _, e := range entities { // in order
		for _, other := range e.Instead {
			if instead[other.Ref] == other {
				left = append(left, other)
				delete(instead, other.Ref)
			}
		}
	}
	return left
}
