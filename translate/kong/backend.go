package kong

import (
	"encoding/json"

	gokong "github.com/kong/go-kong/kong"

	"github.com/kube-sync/kube-sync/translate/route"
)

// The defaults that the Kong Ingress Controller sets on every service.
const (
	timeout = 60000 // milliseconds
	retries = 5
)

// Backend returns a backend's service, upstream and targets.
func Backend(b route.Backend) []*Entity {
	if b.Refuse != "" {
		b.Targets = nil
	}
	return append(Service(b), Upstream(b)...)
}

// Service returns a backend's service with its plugins or refusal, without the upstream.
func Service(b route.Backend) []*Entity {
	return append([]*Entity{service(b)}, guards(b)...)
}

// Upstream returns a backend's upstream and targets.
func Upstream(b route.Backend) []*Entity {
	ref := Ref{Upstreams, ID(Upstreams, b.Host)}
	entities := make([]*Entity, 0, len(b.Targets)+1)
	entities = append(entities, entity(Upstreams, ref.ID, b.Host, upstream(b, ref.ID)))
	for _, t := range b.Targets {
		id := ID(Targets, ref.ID+":"+t.Address)
		entities = append(entities, entity(Targets, id, t.Address, declaredTarget{
			Target:   gokong.Target{ID: &id, Target: &t.Address, Weight: &t.Weight},
			Upstream: ref.ID,
		}, ref))
	}
	return entities
}

func service(b route.Backend) *Entity {
	id := ID(Services, b.Name)
	declared := declaredService{
		Service: gokong.Service{
			ID:             &id,
			Name:           &b.Name,
			Host:           &b.Host,
			Port:           &b.Port,
			Path:           optional(b.Path),
			Protocol:       &b.Protocol,
			ConnectTimeout: orDefault(b.ConnectTimeout, timeout),
			ReadTimeout:    orDefault(b.ReadTimeout, timeout),
			WriteTimeout:   orDefault(b.WriteTimeout, timeout),
			Retries:        orDefault(b.Retries, retries),
			TLSVerify:      b.TLSVerify,
			TLSVerifyDepth: b.TLSVerifyDepth,
			CACertificates: gokong.StringSlice(b.CACertificates...),
			Tags:           gokong.StringSlice(b.Tags...),
		},
		ClientCertificate: b.ClientCertificate,
	}
	var parents []Ref
	if b.ClientCertificate != "" {
		parents = []Ref{{Certificates, b.ClientCertificate}}
	}
	if b.Path == "" && hasPath(b.Protocol) {
		declared.Path = gokong.String("/")
	}
	return entity(Services, id, b.Name, declared, parents...)
}

// hasPath reports whether Kong accepts a path for services of a protocol.
func hasPath(protocol string) bool { return protocol == "http" || protocol == "https" }

func orDefault(value *int, unset int) *int {
	if value == nil {
		return &unset
	}
	return value
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

// Relays are not a collection of Kong: they configure the relay for the other entities of the
// unit.
const Relays Type = "relays"

// Local reports whether entities of the type are not for Kong.
func (t Type) Local() bool { return t == Relays }

// Relay returns the entity of a relay.
func Relay(r route.Relay) *Entity { return entity(Relays, ID(Services, r.Name), r.Name, r) }
