package kong

import (
	"encoding/json"

	"github.com/kube-sync/kube-sync/translate/route"
)

// refusing is the plugin that answers in place of what is not to be reached. Of the
// plugins that can refuse, it is the one that runs first: before those that answer by
// themselves, from a cache or by calling a function.
const refusing = "ip-restriction"

// closing is the plugin that answers 503 to all requests of the gateway. No plugin of a
// route takes its place, as one of a bundled plugin's name would.
const closing = "kube-sync-closed"

// Closed answers 503 to all requests. A Kong without that plugin does it by another one,
// as well as it can.
func Closed(message string, tags []string) *Entity {
	config, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		panic(err) // a text
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
		panic(err) // a number and texts
	}
	return route.Plugin{Name: refusing, Config: config, Tags: tags}
}

// refusedMessage is what clients are told in place of a plugin that Kong refused. The
// owner is told more.
func refusedMessage(plugin string) string { return "the plugin " + plugin + " is not available" }

// Guarded returns a plugin and, should Kong refuse it, a refusal of the whole holder in its
// place: the holder may rely on the plugin for protection. That holds for a plugin that is
// limited to a consumer too, as all other requests would go out without it.
func Guarded(p route.Plugin, holder Ref, holderName string) *Entity {
	e := Plugin(p, holder, holderName)
	if holder == (Ref{}) {
		e.Instead = []*Entity{Closed(refusedMessage(p.Name), p.Tags)}
	} else {
		e.Instead = []*Entity{Refusal(refusedMessage(p.Name), p.Tags, holder, holderName)}
	}
	return e
}

// guards gives the plugins of a backend. With one that Kong refuses, all routes to the
// backend find an upstream without targets, also those with a plugin of their own that
// overrides the refusal; and those with one that chooses another upstream are ended before.
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
			guarded.Instead = append(guarded.Instead, ending(refusedMessage(p.Name), p.Tags, holder, b.Name))
		}
		entities = append(append(entities, guarded), Brought(p, holder, b.Name)...)
	}
	return entities
}

// streamProtocols are those of routes to services of a protocol for streams.
var streamProtocols = map[string][]string{"tcp": {"tcp", "tls"}, "tls": {"tcp", "tls"}, "udp": {"udp"}}

func isGRPC(protocol string) bool { return protocol == "grpc" || protocol == "grpcs" }

// ending gives a plugin that answers 503 when all others have run. What overrides it ends
// requests as well.
func ending(message string, tags []string, holder Ref, holderName string) *Entity {
	config, err := json.Marshal(map[string]any{"status_code": 503, "message": message})
	if err != nil {
		panic(err) // a number and a text
	}
	return Plugin(route.Plugin{Name: "request-termination", Config: config, Tags: tags}, holder, holderName)
}
