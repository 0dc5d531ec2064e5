package dashboards

const ours = "ingress_controller_"

// plain is a number that is never a warning.
var plain = &levels{}

var kubeSync = board{
	uid: "kube-sync-configuration", title: "kube-sync: configuration", description: "How Kong's configuration follows the cluster.",
	metric: ours + "configuration_age_seconds",
	rows: []row{
		{"Now", now}, {"Changes", changes}, {"Workers and storage of Kong", workers}, {"Configuration", configuration},
		{"API server and statuses", apiServer}, {"Relay: mirrors, retries, sessions", relay}, {"The process kube-sync", process},
	},
}

var now = []panel{
	{title: "Gateways", description: "Pods whose kube-sync reports metrics.", unit: "short", width: 3, number: plain,
		queries: []query{{"count(" + ours + "configuration_age_seconds{SELECTOR})", ""}}},
	{title: "Age of the configuration", description: "Of the gateway whose configuration was last known to be up to date the longest ago. It grows while the API server or Kong is unavailable.",
		unit: "s", width: 4, number: &levels{60, 300}, queries: []query{{"max(" + ours + "configuration_age_seconds{SELECTOR})", ""}}},
	{title: "Change to effective, 99 %", description: "From the arrival of a change until every worker of Kong uses it.", unit: "s", width: 4, number: &levels{5, 30},
		queries: []query{{quantile("0.99", "", ours+"change_to_effective_seconds", ""), ""}}},
	{title: "Objects refused by Kong", description: "Their Events have Kong's own words. The last good version stays in effect where there is one.", unit: "short", width: 3, number: &levels{1, 10},
		queries: []query{{"max(" + ours + "configuration_push_broken_resource_count{SELECTOR})", ""}}},
	{title: "Objects with faults", description: "A part of what they ask for has no effect. Their Events and conditions say which.", unit: "short", width: 3, number: &levels{1, 1000},
		queries: []query{{"max(" + ours + "translation_broken_resource_count{SELECTOR})", ""}}},
	{title: "Writers of statuses", description: "Gateways that hold the Lease. It is 1, and 0 for some seconds when the holder goes.", unit: "short", width: 3, number: &levels{1, 0.5},
		queries: []query{{"sum(" + ours + "lease_held{SELECTOR})", ""}}},
	{title: "Next certificate expires in", description: "The first of all certificates that Kong serves.", unit: "s", width: 4, number: &levels{14 * 24 * 3600, 3 * 24 * 3600},
		queries: []query{{"min(" + ours + "certificate_expiry_timestamp_seconds{SELECTOR}) - time()", ""}}},
}

var changes = []panel{
	{title: "From a change to every worker", description: "99th percentile of the time from the arrival of a change until every worker of Kong uses it, by kind of the object.", unit: "s",
		queries: []query{{quantile("0.99", "kind", ours+"change_to_effective_seconds", ""), "{{kind}}"}}},
	{title: "From a write to every worker", description: "99th percentile of the time from a write to the API server, by kind of the object. The API server tells the time to the second, so that up to a second is too much.", unit: "s",
		queries: []query{{quantile("0.99", "kind", ours+"write_to_effective_seconds", ""), "{{kind}}"}}},
	{title: "From a change to Kong's acknowledgement", description: "99th percentile, by kind of the object. Workers take the change over after that.", unit: "s",
		queries: []query{{quantile("0.99", "kind", ours+"change_to_acknowledged_seconds", ""), "{{kind}}"}}},
	{title: "Changes applied", description: "Applies that had an object of the kind. What arrives while Kong is busy is applied together.", unit: "ops",
		queries: []query{{sumRate("kind", ours+"change_to_acknowledged_seconds_count", ""), "{{kind}}"}}},
	{title: "Configurations sent to Kong", description: "Those that failed are tried again.", unit: "ops",
		queries: []query{{sumRate("success, failure_reason", ours+"configuration_push_count", ""), "success={{success}} {{failure_reason}}"}}},
	{title: "Full loads and deltas", description: "A full load takes Kong seconds with 10 000 routes, a delta some milliseconds. Full loads happen at the start, and after Kong lost its configuration.", unit: "ops",
		queries: []query{{sumRate("extent", ours+"configuration_loads_total", ""), "{{extent}}"}}},
	{title: "Bytes sent to Kong", description: "Of configurations that Kong acknowledged, by pod.", unit: "Bps",
		queries: []query{{sumRate("pod", ours+"configuration_sent_bytes_total", ""), "{{pod}}"}}},
	{title: "Duration of a push", description: "Until Kong acknowledged a configuration, or until it failed.", unit: "ms",
		queries: []query{{quantile("0.5", "", ours+"configuration_push_duration_milliseconds", ""), "50 %"}, {quantile("0.99", "", ours+"configuration_push_duration_milliseconds", ""), "99 %"}}},
	{title: "Duration of a translation", description: "From changed objects to Kong's entities and diagnostics. Only what depends on a changed object is translated again.", unit: "ms",
		queries: []query{{quantile("0.5", "", ours+"translation_duration_milliseconds", ""), "50 %"}, {quantile("0.99", "", ours+"translation_duration_milliseconds", ""), "99 %"}}},
}

var workers = []panel{
	{title: "Workers behind", description: "Workers of Kong that do not use the newest configuration yet.", unit: "short",
		queries: []query{{"max by (pod) (" + ours + "kong_workers_behind{SELECTOR})", "{{pod}}"}}},
	{title: "Lag of workers", description: "For how long some worker has not used the newest configuration. After 30 s kube-sync sends all of it again.", unit: "s",
		queries: []query{{"max by (pod) (" + ours + "kong_worker_lag_seconds{SELECTOR})", "{{pod}}"}}},
	{title: "Workers started", description: "In the last minutes. More than at a start or a reload: workers crashed.", unit: "short",
		queries: []query{{"sum by (pod) (increase(" + ours + "kong_worker_starts_total{SELECTOR}[$__rate_interval]))", "{{pod}}"}}},
	{title: "Use of LMDB", description: "Share of lmdb_map_size that Kong's configuration takes. A load needs room for the old and the new configuration.", unit: "percentunit",
		queries: []query{{"max by (pod) (" + ours + "kong_lmdb_used_bytes{SELECTOR} / " + ours + "kong_lmdb_size_bytes{SELECTOR})", "{{pod}}"}}},
}

var configuration = []panel{
	{title: "Entities in Kong", description: "In the configuration that Kong acknowledged, by type.", unit: "short",
		queries: []query{{"max by (type) (" + ours + "configuration_entities{SELECTOR})", "{{type}}"}}},
	{title: "Age of the configuration", description: "Since it was last known to be what the cluster wants.", unit: "s",
		queries: []query{{"max by (pod) (" + ours + "configuration_age_seconds{SELECTOR})", "{{pod}}"}}},
	{title: "Faults by reason", description: "Objects with a fault, by its reason. The manual explains each reason.", unit: "short", stacked: true,
		queries: []query{{"max by (kind, reason) (" + ours + "object_faults{SELECTOR})", "{{kind}} {{reason}}"}}},
	{title: "Refused objects by reason", description: "Objects in quarantine. kept=true: their last good version is in effect.", unit: "short", stacked: true,
		queries: []query{{"max by (reason, kept) (" + ours + "refused_objects{SELECTOR})", "{{reason}} kept={{kept}}"}}},
	{title: "Certificates that expire first", description: "Time until the certificate in a Secret expires. The ten that expire first.", unit: "s",
		queries: []query{{"bottomk(10, min by (secret_namespace, secret) (" + ours + "certificate_expiry_timestamp_seconds{SELECTOR}) - time())", "{{secret_namespace}}/{{secret}}"}}},
	{title: "Release of Kong", description: "at_risk=true: /readyz and the log of kube-sync say why.", unit: "short",
		queries: []query{{"max by (pod, version, at_risk) (" + ours + "kong_info{SELECTOR})", "{{pod}} {{version}} at_risk={{at_risk}}"}}},
}

var apiServer = []panel{
	{title: "Requests to the API server", description: "By method and status. <error>: no response.", unit: "reqps",
		queries: []query{{sumRate("method, code", "rest_client_requests_total", ""), "{{method}} {{code}}"}}},
	{title: "Latency of the API server", description: "99th percentile by verb, without watches.", unit: "s",
		queries: []query{{quantile("0.99", "verb", "rest_client_request_duration_seconds", ""), "{{verb}}"}}},
	{title: "Throttling", description: "For how long requests waited for APISERVER_QPS, 99th percentile. It is near 0 without the setting. The API server throttles with the status 429.", unit: "s",
		queries: []query{{quantile("0.99", "", "rest_client_rate_limiter_duration_seconds", ""), "99 %"}}},
	{title: "Writes of statuses", description: "By result. conflict: the object had changed, and the write is tried again.", unit: "ops",
		queries: []query{{sumRate("result", ours+"status_writes_total", ""), "{{result}}"}}},
}

var relay = []panel{
	{title: "Requests by status", description: "Requests that the relay forwarded, by the class of the status. error: no backend answered.", unit: "reqps",
		queries: []query{{sumRate("code", ours+"relay_requests_total", ""), "{{code}}"}}},
	{title: "Duration of requests", description: "From Kong's request to the end of the response.", unit: "s",
		queries: []query{{quantile("0.5", "", ours+"relay_request_duration_seconds", ""), "50 %"}, {quantile("0.99", "", ours+"relay_request_duration_seconds", ""), "99 %"}}},
	{title: "Requests in flight, and rules", description: "Rules whose requests go through the relay, and the requests that it is forwarding.", unit: "short",
		queries: []query{{"sum(" + ours + "relay_requests_in_flight{SELECTOR})", "in flight"}, {"max(" + ours + "relay_rules{SELECTOR})", "rules"}}},
	{title: "Retries and mirrored requests", description: "Attempts after the first; copies by whether the mirror answered; and requests that were not copied, by reason.", unit: "ops",
		queries: []query{
			{sumRate("", ours+"relay_retries_total", ""), "retries"},
			{sumRate("result", ours+"relay_mirrored_total", ""), "mirrored: {{result}}"},
			{sumRate("reason", ours+"relay_mirror_dropped_total", ""), "not mirrored: {{reason}}"},
		}},
	{title: "Memory of kept bodies", description: "Request bodies that may be sent again. RELAY_MEMORY limits it.", unit: "bytes",
		queries: []query{{"max by (pod) (" + ours + "relay_memory_bytes{SELECTOR})", "{{pod}}"}}},
}

var process = []panel{
	{title: "Processor time", description: "Of kube-sync, not of Kong. 100 % is one processor.", unit: "percentunit",
		queries: []query{{rate("process_cpu_seconds_total", ""), "{{pod}}"}}},
	{title: "Memory", description: "Resident memory of kube-sync, not of Kong.", unit: "bytes",
		queries: []query{{"process_resident_memory_bytes{SELECTOR}", "{{pod}}"}}},
	{title: "Starts", description: "Kong starts kube-sync again when it ends.", unit: "short",
		queries: []query{{"changes(process_start_time_seconds{SELECTOR}[$__rate_interval])", "{{pod}}"}}},
	{title: "Goroutines", description: "Steady growth is a leak.", unit: "short",
		queries: []query{{"go_goroutines{SELECTOR}", "{{pod}}"}}},
}
