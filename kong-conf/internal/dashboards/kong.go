package dashboards

const (
	// ofRoutes selects the services and routes that are chosen on the board.
	ofRoutes = `,service=~"$service",route=~"$route"`
	requests = "kong_http_requests_total"
)

var kong = board{
	uid: "kube-sync-traffic", title: "kube-sync: traffic", description: "What Kong does with requests. The rows with the plugin prometheus need it.",
	metric: "kong_node_info",
	more: []variable{
		{"service", "Service", `label_values(kong_http_requests_total{namespace="$namespace",job="$job"}, service)`},
		{"route", "Route", `label_values(kong_http_requests_total{namespace="$namespace",job="$job",service=~"$service"}, route)`},
	},
	rows: []row{
		{"Now", trafficNow}, {"Requests, with the plugin prometheus", traffic}, {"Latency, with the plugin prometheus", latency},
		{"Streams, with the plugin prometheus", streams}, {"Backends, with upstream_health_metrics of the plugin prometheus", backends}, {"Kong itself", itself},
	},
}

// share returns the share of requests with labels among those with others, by labels.
func share(by, part, whole string) string {
	return sumRate(by, requests, part) + " / " + sumRate(by, requests, whole)
}

var trafficNow = []panel{
	{title: "Requests", description: "Per second. It needs no plugin.", unit: "reqps", width: 5, number: plain,
		queries: []query{{sumRate("", "kong_nginx_requests_total", `,subsystem="http"`), ""}}},
	{title: "Errors", description: "Share of responses with a status of 500 or above.", unit: "percentunit", width: 5, number: &levels{0.01, 0.05},
		queries: []query{{share("", ofRoutes+`,code=~"5.."`, ofRoutes), ""}}},
	{title: "Latency, 99 %", description: "Of whole requests, from the first byte received to the last one sent.", unit: "ms", width: 5, number: &levels{1000, 5000},
		queries: []query{{quantile("0.99", "", "kong_request_latency_ms", ofRoutes), ""}}},
	{title: "Connections", description: "Open connections of clients.", unit: "short", width: 5, number: plain,
		queries: []query{{`sum(kong_nginx_connections_total{SELECTOR,subsystem="http",state="active"})`, ""}}},
	{title: "Room for metrics", description: "Use of the memory in which the plugin prometheus counts. When it is full, series are lost.", unit: "percentunit", width: 4, number: &levels{0.7, 0.9},
		queries: []query{{`max(kong_memory_lua_shared_dict_bytes{SELECTOR,shared_dict="prometheus_metrics"} / kong_memory_lua_shared_dict_total_bytes{SELECTOR,shared_dict="prometheus_metrics"})`, ""}}},
}

var traffic = []panel{
	{title: "Requests by service", description: "The ten busiest services of Kong.", unit: "reqps",
		queries: []query{{"topk(10, " + sumRate("service", requests, ofRoutes) + ")", "{{service}}"}}},
	{title: "Requests by status", description: "Status codes of responses to clients.", unit: "reqps",
		queries: []query{{sumRate("code", requests, ofRoutes), "{{code}}"}}},
	{title: "Requests by route", description: "The ten busiest routes of Kong.", unit: "reqps",
		queries: []query{{"topk(10, " + sumRate("route", requests, ofRoutes) + ")", "{{route}}"}}},
	{title: "Errors by service", description: "Share of responses with a status of 500 or above.", unit: "percentunit",
		queries: []query{{share("service", ofRoutes+`,code=~"5.."`, ofRoutes), "{{service}}"}}},
	{title: "Refused requests by route", description: "Responses with a status from 400 to 499: the ten routes with most.", unit: "reqps",
		queries: []query{{"topk(10, " + sumRate("route, code", requests, ofRoutes+`,code=~"4.."`) + ")", "{{route}} {{code}}"}}},
	{title: "Responses by Kong itself", description: "Responses of plugins, and of Kong where no backend could be reached.", unit: "reqps",
		queries: []query{{sumRate("code", requests, ofRoutes+`,source!="service"`), "{{code}}"}}},
	{title: "Bytes", description: "ingress: from clients; egress: to clients.", unit: "Bps",
		queries: []query{{sumRate("direction", "kong_bandwidth_bytes", ofRoutes), "{{direction}}"}}},
	{title: "Bytes by service", description: "To clients. The ten services with most.", unit: "Bps",
		queries: []query{{"topk(10, " + sumRate("service", "kong_bandwidth_bytes", ofRoutes+`,direction="egress"`) + ")", "{{service}}"}}},
}

// quantiles returns the queries for three quantiles of a latency.
func quantiles(metric string) []query {
	return []query{
		{quantile("0.5", "", metric, ofRoutes), "50 %"}, {quantile("0.95", "", metric, ofRoutes), "95 %"}, {quantile("0.99", "", metric, ofRoutes), "99 %"},
	}
}

var latency = []panel{
	{title: "Whole requests", description: "From the first byte of the request to the last one of the response.", unit: "ms", width: 8, queries: quantiles("kong_request_latency_ms")},
	{title: "Kong and its plugins", description: "The part of Kong, without the backend.", unit: "ms", width: 8, queries: quantiles("kong_kong_latency_ms")},
	{title: "Backends", description: "Until the backend started its response.", unit: "ms", width: 8, queries: quantiles("kong_upstream_latency_ms")},
	{title: "By service, 99 %", description: "Whole requests: the ten slowest services.", unit: "ms",
		queries: []query{{"topk(10, " + quantile("0.99", "service", "kong_request_latency_ms", ofRoutes) + ")", "{{service}}"}}},
	{title: "By route, 99 %", description: "Whole requests: the ten slowest routes.", unit: "ms",
		queries: []query{{"topk(10, " + quantile("0.99", "route", "kong_request_latency_ms", ofRoutes) + ")", "{{route}}"}}},
}

var streams = []panel{
	{title: "TCP, TLS and UDP sessions", description: "Sessions that ended, by service and result.", unit: "ops",
		queries: []query{{sumRate("service, code", "kong_stream_sessions_total", ""), "{{service}} {{code}}"}}},
	{title: "Duration of sessions, 95 %", description: "Of sessions that ended, by service.", unit: "ms",
		queries: []query{{quantile("0.95", "service", "kong_session_duration_ms", ""), "{{service}}"}}},
}

var backends = []panel{
	{title: "Endpoints by health", description: "As Kong's health checks see them. healthchecks_off: the upstream has none.", unit: "short", stacked: true,
		queries: []query{{"sum by (state) (max by (upstream, target, state) (kong_upstream_target_health{SELECTOR}))", "{{state}}"}}},
	{title: "Upstreams with unhealthy endpoints", description: "Endpoints of each upstream that get no requests.", unit: "short",
		queries: []query{{`count by (upstream) (max by (upstream, target) (kong_upstream_target_health{SELECTOR,state=~"unhealthy|dns_error"}) == 1)`, "{{upstream}}"}}},
}

var itself = []panel{
	{title: "Connections", description: "Of clients, by state.", unit: "short",
		queries: []query{{`sum by (state) (kong_nginx_connections_total{SELECTOR,subsystem="http",state=~"active|reading|writing|waiting"})`, "{{state}}"}}},
	{title: "Requests by pod", description: "How evenly the load balancer spreads requests. It needs no plugin.", unit: "reqps",
		queries: []query{{sumRate("pod", "kong_nginx_requests_total", `,subsystem="http"`), "{{pod}}"}}},
	{title: "New connections", description: "Accepted and handled. Where fewer are handled, worker_connections is too low.", unit: "cps",
		queries: []query{{sumRate("state", "kong_nginx_connections_total", `,subsystem="http",state=~"accepted|handled"`), "{{state}}"}}},
	{title: "Requests per connection", description: "Clients that keep connections open save handshakes.", unit: "short",
		queries: []query{{sumRate("", "kong_nginx_connections_total", `,subsystem="http",state="total"`) + " / " + sumRate("", "kong_nginx_connections_total", `,subsystem="http",state="accepted"`), "requests"}}},
	{title: "Memory of Lua", description: "Of each worker, by pod and process.", unit: "bytes",
		queries: []query{{"kong_memory_workers_lua_vms_bytes{SELECTOR}", "{{pod}} {{pid}} {{kong_subsystem}}"}}},
	{title: "Shared memory in use", description: "Share of each of Kong's shared dictionaries. Caches may be full.", unit: "percentunit",
		queries: []query{{"max by (shared_dict) (kong_memory_lua_shared_dict_bytes{SELECTOR} / kong_memory_lua_shared_dict_total_bytes{SELECTOR})", "{{shared_dict}}"}}},
	{title: "Timers", description: "Work of Kong in the background. Pending timers that only grow are work that does not end.", unit: "short",
		queries: []query{{"sum by (state) (kong_nginx_timers{SELECTOR})", "{{state}}"}}},
	{title: "Releases", description: "Pods by release of Kong.", unit: "short",
		queries: []query{{"count by (version) (kong_node_info{SELECTOR})", "{{version}}"}}},
}
