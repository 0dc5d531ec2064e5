package plugin

import (
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// observers are plugins that nobody relies on for protection: they only look on. One
// that is for all requests and cannot be had is left out; any other closes the gateway.
var observers = []string{"correlation-id", "datadog", "file-log", "http-log", "loggly", "opentelemetry", "prometheus",
	"statsd", "syslog", "tcp-log", "udp-log", "zipkin"}

// globals are the plugins for all requests, by their name in Kong.
const globals unit.Family[string] = "global plugin"

// global claims what a plugin with the label global is for: all requests. Of one name
// there can be one; the oldest holds.
func global(p *configurationv1.KongClusterPlugin, key unit.Key, value resolved) []unit.Claim {
	if !isGlobal(p) {
		return nil
	}
	claim := unit.Claim{
		Slot: globals.Slot(p.PluginName), Object: key, Since: p.CreationTimestamp.Time,
		Lost: condition.Verdict(key, false, "Invalid", "all requests have another "+p.PluginName+" already").At(pluginField),
	}
	observes := slices.Contains(observers, p.PluginName)
	switch {
	case value.reason == "":
		guarded := kong.Guarded(value.model(), kong.Ref{}, "")
		if observes {
			guarded.Instead = []*kong.Entity{}
		}
		claim.Entities = []*kong.Entity{guarded} // no namespace's entities are for all requests
	case !observes:
		claim.Entities = []*kong.Entity{kong.Closed("a plugin that protects this gateway is not available", split(value.tags))}
	}
	return []unit.Claim{claim}
}
