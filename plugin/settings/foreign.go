package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Foreigner is a setting that the Kong Ingress Controller has and we do not.
type Foreigner struct {
	// Name may end with "*", for any ending.
	Name string
	// Why says why there is no such setting, in the words of an error.
	Why string
	// So are values that ask for what is so in any case; they are taken.
	So []string
}

// foreigners are in the order in which they are looked for: the first match counts.
var foreigners = []Foreigner{
	{"ADMISSION_WEBHOOK_LISTEN", "there is no webhook; Kong itself checks what is applied, and objects with faults get events", off},
	{"ADMISSION_WEBHOOK_*", "there is no webhook; Kong itself checks what is applied, and objects with faults get events", nil},
	{"KONG_ADMIN_*", "the gateway configures the Kong that it runs in; KONG_ADMIN_SOCKET is the only thing to set, and rarely", nil},
	{"KONG_WORKSPACE", "Kong Gateway OSS has no workspaces", nil},
	{"KONNECT_SYNC_ENABLED", "kube-sync does not talk to Konnect", no},
	{"KONNECT_LICENSING_ENABLED", "kube-sync does not talk to Konnect", no},
	{"KONNECT_*", "kube-sync does not talk to Konnect", nil},
	{"ANONYMOUS_REPORTS", "kube-sync sends no reports", no},
	{"CACHE_SYNC_TIMEOUT", "the gateway waits for its first complete view of the cluster, and is not ready before", nil},
	{"INIT_CACHE_SYNC_DURATION", "the gateway waits for its first complete view of the cluster, and is not ready before", nil},
	{"PROXY_SYNC_SECONDS", "changes are applied as they come, not at intervals", nil},
	{"SYNC_PERIOD", "nothing is reconciled at intervals", nil},
	{"ENABLE_REVERSE_SYNC", "it is always on: Kong's own hash is compared, and its configuration applied again when it is another", yes},
	{"USE_LAST_VALID_CONFIG_FOR_FALLBACK", "it is always on: an object that Kong refuses stays at its last good version", yes},
	{"UPDATE_STATUS_QUEUE_BUFFER_SIZE", "statuses do not wait in a queue", nil},
	{"ENABLE_CONTROLLER_*", "kinds that the cluster does not have are not watched, and all others are", yes},
	{"FORCE_LEADER_ELECTION", "every gateway configures itself, and the holder of a Lease writes statuses: see ELECTION_ID", []string{"enabled"}},
	{"GATEWAY_DISCOVERY_*", "there are no other gateways to find: each configures itself", nil},
	{"COMBINED_SERVICES_FROM_DIFFERENT_HTTPROUTES", "each rule of an HTTPRoute has a Kong service of its own, under the name that it has without this setting", no},
	{"SKIP_CA_CERTIFICATES", "Kong Gateway OSS has no workspaces", no},
	{"TERM_DELAY", "Kong decides when it ends: see the pod's preStop hook", []string{"0s", "0"}},
	{"METRICS_ACCESS_FILTER", "metrics have no access filter; bind them to an address that only the scraper reaches", off},
	{"DIAGNOSTIC_SERVER_PORT", "kube-sync does not have it", nil},
	{"DUMP_*", "kube-sync does not have it: kube-sync render shows a configuration", no},
	{"PROFILING", "kube-sync does not have it", no},
	{"CONFIGMAP_LABEL_SELECTOR", "only ConfigMaps that something refers to are read, with or without a label", nil},
	{"SECRET_LABEL_SELECTOR", "only Secrets that something refers to are read, with or without a label", nil},
}

var (
	yes = []string{"true"}
	no  = []string{"false"}
	off = []string{"off"}
)

// featureGates is the setting that has a list of others in its value.
const featureGates = "FEATURE_GATES"

// Gate is a feature gate of the Kong Ingress Controller.
type Gate struct {
	Name string
	// On tells what is so here; a gate that is of nothing we have is neither.
	On, Moot bool
	Why      string
}

var gates = []Gate{
	{Name: "GatewayAlpha", On: true, Why: "TCPRoutes, UDPRoutes, TLSRoutes and BackendTLSPolicies are served where the cluster has these kinds"},
	{Name: "FillIDs", On: true, Why: "entities have the ids that the Kong Ingress Controller gives them"},
	{Name: "RewriteURIs", On: true, Why: "the annotation konghq.com/rewrite counts, and nothing of it is a template"},
	{Name: "KongServiceFacade", On: true, Why: "KongServiceFacades are served where the cluster has the kind"},
	{Name: "SanitizeKonnectConfigDumps", Moot: true, Why: "nothing is sent to Konnect"},
	{Name: "FallbackConfiguration", On: true, Why: "what Kong refuses is taken out, and the rest is applied"},
	{Name: "KongCustomEntity", On: true, Why: "KongCustomEntities are served where the cluster has the kind"},
}

// Foreigners lists the settings of the Kong Ingress Controller that there are not.
func Foreigners() []Foreigner { return slices.Clone(foreigners) }

// Gates lists the feature gates of the Kong Ingress Controller.
func Gates() []Gate { return slices.Clone(gates) }

// ForeignerOf finds the row for a setting of the Kong Ingress Controller.
func ForeignerOf(name string) (Foreigner, bool) {
	for _, f := range foreigners {
		prefix, open := strings.CutSuffix(f.Name, "*")
		if name == f.Name || open && strings.HasPrefix(name, prefix) {
			return f, true
		}
	}
	return Foreigner{}, false
}

// unknown says why a setting is none; nil for one that asks for what is so in any case.
func unknown(v given) error {
	value := strings.ToLower(strings.TrimSpace(v.value))
	if v.name == featureGates {
		return gated(v)
	}
	f, ok := ForeignerOf(v.name)
	switch {
	case ok && slices.Contains(f.So, value):
		return nil
	case ok:
		return fmt.Errorf("setting %s is to be removed: %s", v.from, f.Why)
	}
	return fmt.Errorf("setting %s is unknown; there are %s", v.from, strings.Join(names(), ", "))
}

// gated takes feature gates that are as they are here.
func gated(v given) error {
	for item := range strings.SplitSeq(v.value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		on, err := strconv.ParseBool(value)
		i := slices.IndexFunc(gates, func(g Gate) bool { return g.Name == strings.TrimSpace(name) })
		switch {
		case i < 0 || err != nil:
			return fmt.Errorf("setting %s: %q is no feature gate of the Kong Ingress Controller with true or false", v.from, item)
		case gates[i].Moot || gates[i].On == on:
		default:
			return fmt.Errorf("setting %s: %q is to be removed: %s", v.from, item, gates[i].Why)
		}
	}
	return nil
}
