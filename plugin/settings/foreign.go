package settings

import "strings"

// What the Kong Ingress Controller has and we do not. A trailing "*" stands for any
// ending. The first match counts.
var foreigners = []struct{ name, why string }{
	{"ADMISSION_WEBHOOK_*", "there is no webhook; Kong itself checks what is applied, and objects with faults get events"},
	{"KONG_ADMIN_*", "the gateway configures the Kong that it runs in; KONG_ADMIN_SOCKET is the only thing to set, and rarely"},
	{"KONG_WORKSPACE", "Kong Gateway OSS has no workspaces"},
	{"KONNECT_*", "kube-sync does not talk to Konnect"},
	{"ANONYMOUS_REPORTS", "kube-sync sends no reports"},
	{"CACHE_SYNC_TIMEOUT", "the gateway waits for its first complete view of the cluster, and is not ready before"},
	{"INIT_CACHE_SYNC_DURATION", "the gateway waits for its first complete view of the cluster, and is not ready before"},
	{"PROXY_SYNC_SECONDS", "changes are applied as they come, not at intervals"},
	{"SYNC_PERIOD", "nothing is reconciled at intervals"},
	{"ENABLE_REVERSE_SYNC", "it is always on: Kong's own hash is compared, and its configuration applied again when it is another"},
	{"USE_LAST_VALID_CONFIG_FOR_FALLBACK", "it is always on: an object that Kong refuses stays at its last good version"},
	{"UPDATE_STATUS_QUEUE_BUFFER_SIZE", "statuses do not wait in a queue"},
	{"ENABLE_CONTROLLER_*", "kinds that the cluster does not have are not watched, and all others are"},
	{"FORCE_LEADER_ELECTION", "every gateway configures itself, and the holder of a Lease writes statuses: see ELECTION_ID"},
	{"GATEWAY_DISCOVERY_*", "there are no other gateways to find: each configures itself"},
	{"COMBINED_SERVICES_FROM_DIFFERENT_HTTPROUTES", "Services are always made once and shared"},
	{"SKIP_CA_CERTIFICATES", "Kong Gateway OSS has no workspaces"},
	{"TERM_DELAY", "Kong decides when it ends: see the pod's preStop hook"},
	{"METRICS_ACCESS_FILTER", "metrics have no access filter; bind them to an address that only the scraper reaches"},
	{"DIAGNOSTIC_SERVER_PORT", "kube-sync does not have it"},
	{"DUMP_*", "kube-sync does not have it: kube-sync render shows a configuration"},
	{"PROFILING", "kube-sync does not have it"},
	{"PUBLISH_SERVICE_UDP", "kube-sync does not have it: PUBLISH_SERVICE counts for all"},
	{"PUBLISH_STATUS_ADDRESS_UDP", "kube-sync does not have it: PUBLISH_STATUS_ADDRESS counts for all"},
	{"FEATURE_GATES", "kube-sync has no feature gates"},
	{"CONFIGMAP_LABEL_SELECTOR", "kube-sync does not have it"},
	{"SECRET_LABEL_SELECTOR", "only Secrets that something refers to are read"},
}

// foreign says why a setting of the Kong Ingress Controller is not needed.
func foreign(name string) (why string, ok bool) {
	for _, f := range foreigners {
		prefix, open := strings.CutSuffix(f.name, "*")
		if name == f.name || open && strings.HasPrefix(name, prefix) {
			return f.why, true
		}
	}
	return "", false
}
