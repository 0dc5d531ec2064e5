package plugin

import (
	"slices"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// observers are plugins that only observe requests. A global one that is unavailable is left out; any
// other may be there for protection, so all requests are refused.
var observers = []string{"correlation-id", "datadog", "file-log", "http-log", "loggly", "opentelemetry", "prometheus",
	"statsd", "syslog", "tcp-log", "udp-log", "zipkin"}

// globals are the claims of global plugins, by their name in Kong.
const globals unit.Family[string] = "global plugin"

// global claims all requests for a plugin with the label global. There can be only one of a name; the
// oldest takes precedence.
func global(p *configurationv1.KongClusterPlugin, key unit.Key, value resolved) []unit.Claim {
	if !isGlobal(p) {
		return nil
	}
	claim := unit.Claim{
		Slot: globals.Slot(p.PluginName), Object: key, Since: p.CreationTimestamp.Time,
		Lost: condition.Verdict(key, false, condition.ReasonInvalid, "another global plugin "+p.PluginName+" takes precedence").At(pluginField),
	}
	observes := slices.Contains(observers, p.PluginName)
	switch {
	case value.reason == "":
		guarded := kong.Guarded(value.model(), kong.Ref{}, "")
		if observes {
			guarded.Instead = []*kong.Entity{}
		}
		claim.Entities = []*kong.Entity{guarded} // without custom entities, which belong to namespaces
	case !observes:
		claim.Entities = []*kong.Entity{kong.Closed("a plugin that protects this gateway is not available", split(value.tags))}
	}
	return []unit.Claim{claim}
}
