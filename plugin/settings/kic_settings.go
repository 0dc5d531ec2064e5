package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// UnsupportedSetting is a setting of the Kong Ingress Controller that kube-sync does not have.
type UnsupportedSetting struct {
	// Name may end with "*" to match every suffix.
	Name string
	// Why says why there is no such setting. It is part of an error message.
	Why string
	// Accepted are the values that ask for what kube-sync does without the setting.
	Accepted []string
}

// unsupportedSettings are in the order of look-up: the first match wins.
var unsupportedSettings = []UnsupportedSetting{
	{"ADMISSION_WEBHOOK_LISTEN", "there is no webhook; Kong itself checks what is applied, and objects with faults get Events", off},
	{"ADMISSION_WEBHOOK_*", "there is no webhook; Kong itself checks what is applied, and objects with faults get Events", nil},
	{"KONG_ADMIN_*", "the gateway configures the Kong that it runs in; KONG_ADMIN_SOCKET is the only thing to set, and rarely", nil},
	{"KONG_WORKSPACE", "Kong Gateway OSS has no workspaces", nil},
	{"KONNECT_SYNC_ENABLED", "kube-sync does not talk to Konnect", no},
	{"KONNECT_LICENSING_ENABLED", "kube-sync does not talk to Konnect", no},
	{"KONNECT_*", "kube-sync does not talk to Konnect", nil},
	{"ANONYMOUS_REPORTS", "kube-sync sends no reports", no},
	{"CACHE_SYNC_TIMEOUT", "the gateway waits for its first complete view of the cluster, and is not ready before", nil},
	{"INIT_CACHE_SYNC_DURATION", "the gateway waits for its first complete view of the cluster, and is not ready before", nil},
	{"PROXY_SYNC_SECONDS", "changes are applied as they arrive, not at intervals", nil},
	{"SYNC_PERIOD", "nothing is reconciled at intervals", nil},
	{"ENABLE_REVERSE_SYNC", "it is always on: Kong's own hash is compared, and the configuration is applied again if it differs", yes},
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

// featureGatesSetting has a list of gates as its value.
const featureGatesSetting = "FEATURE_GATES"

// FeatureGate is a feature gate of the Kong Ingress Controller.
type FeatureGate struct {
	Name string
	// Enabled is the only accepted value, unless AnyValue is true.
	Enabled bool
	// AnyValue means that the gate is about something that kube-sync does not have.
	AnyValue bool
	Why      string
}

var featureGates = []FeatureGate{
	{Name: "GatewayAlpha", Enabled: true, Why: "TCPRoutes, UDPRoutes, TLSRoutes and BackendTLSPolicies are served where the cluster has these kinds"},
	{Name: "FillIDs", Enabled: true, Why: "entities have the ids that the Kong Ingress Controller gives them"},
	{Name: "RewriteURIs", Enabled: true, Why: "the annotation konghq.com/rewrite takes effect, and is not a template"},
	{Name: "KongServiceFacade", Enabled: true, Why: "KongServiceFacades are served where the cluster has the kind"},
	{Name: "SanitizeKonnectConfigDumps", AnyValue: true, Why: "nothing is sent to Konnect"},
	{Name: "FallbackConfiguration", Enabled: true, Why: "what Kong refuses is left out, and the rest is applied"},
	{Name: "KongCustomEntity", Enabled: true, Why: "KongCustomEntities are served where the cluster has the kind"},
}

// UnsupportedSettings returns the settings of the Kong Ingress Controller that kube-sync does not
// have.
func UnsupportedSettings() []UnsupportedSetting { return slices.Clone(unsupportedSettings) }

// FeatureGates returns the feature gates of the Kong Ingress Controller.
func FeatureGates() []FeatureGate { return slices.Clone(featureGates) }

// FindUnsupported returns the row of an unsupported setting of the Kong Ingress Controller.
func FindUnsupported(name string) (UnsupportedSetting, bool) {
	for _, f := range unsupportedSettings {
		prefix, open := strings.CutSuffix(f.Name, "*")
		if name == f.Name || open && strings.HasPrefix(name, prefix) {
			return f, true
		}
	}
	return UnsupportedSetting{}, false
}

// checkUnknown returns an error for a setting that is not in the table. It returns nil if the value
// asks for what kube-sync does without the setting.
func checkUnknown(v sourced) error {
	value := strings.ToLower(strings.TrimSpace(v.value))
	if v.name == featureGatesSetting {
		return checkFeatureGates(v)
	}
	f, ok := FindUnsupported(v.name)
	switch {
	case ok && slices.Contains(f.Accepted, value):
		return nil
	case ok:
		return fmt.Errorf("setting %s has to be removed: %s", v.from, f.Why)
	}
	return fmt.Errorf("setting %s is unknown; the settings are %s", v.from, strings.Join(names(), ", "))
}

// checkFeatureGates returns an error for the first feature gate that asks for what kube-sync does
// not do.
func checkFeatureGates(v sourced) error {
	for item := range strings.SplitSeq(v.value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		on, err := strconv.ParseBool(value)
		i := slices.IndexFunc(featureGates, func(g FeatureGate) bool { return g.Name == strings.TrimSpace(name) })
		switch {
		case i < 0 || err != nil:
			return fmt.Errorf("setting %s: %q is not a feature gate of the Kong Ingress Controller with true or false", v.from, item)
		case featureGates[i].AnyValue || featureGates[i].Enabled == on:
		default:
			return fmt.Errorf("setting %s: %q has to be removed: %s", v.from, item, featureGates[i].Why)
		}
	}
	return nil
}
