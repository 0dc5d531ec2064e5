package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// refusing is the plugin that answers in place of what must not be reached. It runs before all
// plugins that can answer by themselves, from a cache or by calling a function.
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

// refusedMessage is the message to clients in place of a plugin that Kong refused. The owner gets
// the reason.
func refusedMessage(plugin string) string { return "the plugin " + plugin + " is not available" }

// Guarded returns a plugin whose Instead refuses all requests of the holder, because the holder
// may rely on the plugin for protection. This includes a plugin limited to a consumer.
func Guarded(p route.Plugin, holder Ref, holderName string) *Entity {
	e := Plugin(p, holder, holderName)
	if holder == (Ref{}) {
		e.Instead = []*Entity{Closed(refusedMessage(p.Name), p.Tags)}
	} else {
		e.Instead = []*Entity{Refusal(refusedMessage(p.Name), p.Tags, holder, holderName)}
	}
	return e
}

// guards returns the plugins of a backend. If Kong refuses one, all routes to the backend find an
// upstream without targets, even if a route's own plugin overrides the refusal. Requests whose
// plugin chooses another upstream are terminated before.
func guards(b route.Backend) []*Entity {
	holder := Ref{Services, ID(Services, b.Name)}
	if b.Refuse != "" {
		return []*Entity{Refusal(b.Refuse, b.Tags, holder, b.Name)}
	}
	var entities []*Entity
	plugins := b.Plugins
	if streams := streamProtocols[b.Protocol]; streams != nil {
		plugins = ofStreams(plugins, streams)
	}
	for _, p := range plugins {
		guarded := Guarded(p, holder, b.Name)
		closed := b
		closed.Host, closed.Targets, closed.Plugins = "refused."+b.Name, nil, nil
		guarded.Instead = append(guarded.Instead, Backend(closed)...)
		if hasPath(b.Protocol) || isGRPC(b.Protocol) {
			guarded.Instead = append(guarded.Instead, terminating(refusedMessage(p.Name), p.Tags, holder, b.Name))
		}
		entities = append(append(entities, guarded), PluginEntities(p, holder, b.Name)...)
	}
	return entities
}

// streamProtocols are the protocols of routes by the stream protocol of their service.
var streamProtocols = map[string][]string{"tcp": {"tcp", "tls"}, "tls": {"tcp", "tls"}, "udp": {"udp"}}

func isGRPC(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }

// terminating returns a plugin that answers 503 after all others have run. A plugin that
// overrides it terminates requests as well.
func terminating(message string, tags []string, holder Ref, holderName string) *Entity {
	config, err := json.Marshal(map[string]any{"status_code": 503, "message": message})
	if err != nil {
		panic(err) // numbers and strings only
	}
	return Plugin(route.Plugin{Name: "request-termination", Config: config, Tags: tags}, holder, holderName)
}
