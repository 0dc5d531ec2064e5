package limit

// The names of the settings.
const (
	PluginString      = "LIMIT_PLUGIN_STRING_BYTES"
	PluginConfig      = "LIMIT_PLUGIN_CONFIG_BYTES"
	MatchTerms        = "LIMIT_MATCH_TERMS"
	MatchBytes        = "LIMIT_MATCH_BYTES"
	Listeners         = "LIMIT_NAMESPACE_LISTENERS"
	Attachments       = "LIMIT_NAMESPACE_ATTACHMENTS"
	ObjectEntities    = "LIMIT_OBJECT_ENTITIES"
	ObjectBytes       = "LIMIT_OBJECT_BYTES"
	NamespaceEntities = "LIMIT_NAMESPACE_ENTITIES"
	NamespaceBytes    = "LIMIT_NAMESPACE_BYTES"
	NamespaceMatch    = "LIMIT_NAMESPACE_MATCH_BYTES"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// Table lists all bounds in the order of the documentation. The figures in the comments were
// measured on Kong 3.9.3; seconds are the CPU time of each worker.
var Table = []Row{
	// Specifications, templates, code and certificate bundles are shorter. The slowest checks of
	// such strings by bundled plugins take 0.3 seconds, except for the fields in slow.
	{PluginString, 64 * kib, "Bytes of one string in the configuration of a plugin at most, 0 for no limit.",
		func(l *Limits) *int { return &l.PluginString }},
	// Half the size limit of a Kubernetes object. Each route has a copy in Kong.
	{PluginConfig, 512 * kib, "Bytes of the configuration of a plugin, a vault or a custom entity at most, 0 for no limit.",
		func(l *Limits) *int { return &l.PluginConfig }},
	// A worker accepts 40 000 and dies at 50 000, because its stack overflows. Each takes 25
	// microseconds when the router is built, and 0.1 for each request that evaluates it.
	{MatchTerms, 1000, "Comparisons in the match of one route at most, 0 for no limit. Each host, path, method, server name and value of a header or query parameter is one or two.",
		func(l *Limits) *int { return &l.MatchTerms }},
	// A megabyte is 17 times \w, 1000 times [^/], or 2000 comparisons with short values, and
	// takes 50 milliseconds to build. Usual regular expressions take 10 to 30 KB.
	{MatchBytes, 2 * mib, "Bytes that the match of one route takes in the router of a worker at most, 0 for no limit. Most of them are those of its regular expressions.",
		func(l *Limits) *int { return &l.Match }},
	// Each adds a comparison to every route of a listener whose hosts include its host.
	{Listeners, 100, "Listeners that the ListenerSets of one namespace add to a Gateway of another at most, 0 for no limit. Those of the Gateway's own namespace add ten times as many.",
		func(l *Limits) *int { return &l.Listeners }},
	// Ten thousand routes at all 64 listeners of a Gateway make 640 000. Each takes 300 bytes and
	// 5 microseconds.
	{Attachments, 700_000, "Listeners to which the routes of one namespace are attached at most, those of each route added up, 0 for no limit. The oldest routes come first, and the others are not attached.",
		func(l *Limits) *int { return &l.Attachments }},
	// An HTTPRoute with 128 matches for 16 hosts makes 4096. Five thousand routes take 1.3 seconds.
	{ObjectEntities, 5000, "Entities of Kong that one object makes at most, 0 for no limit.",
		func(l *Limits) *int { return &l.Object.Entities }},
	// Ten times the size of five hundred routes with three usual plugins each.
	{ObjectBytes, 8 * mib, "Bytes of configuration that one object makes at most, 0 for no limit.",
		func(l *Limits) *int { return &l.Object.Bytes }},
	// Ten thousand routes with Services and fifty thousand endpoints make 80 000. Ninety thousand
	// endpoints take 6 seconds, and fifteen thousand routes, services and upstreams 4.5.
	{NamespaceEntities, 100_000, "Entities of Kong that the objects of one namespace make at most, 0 for no limit. The oldest objects come first, and the others are left out.",
		func(l *Limits) *int { return &l.Namespace.Entities }},
	// Ten thousand routes with all of the above are 28 MB. 64 MB of plugins take 3.5 seconds, and
	// 120 MB of memory in each worker.
	{NamespaceBytes, 64 * mib, "Bytes of configuration that the objects of one namespace make at most, 0 for no limit.",
		func(l *Limits) *int { return &l.Namespace.Bytes }},
	// Ten thousand routes for a host and a path each take 20 MB. 32 MB of regular expressions take
	// 0.4 seconds.
	{NamespaceMatch, 32 * mib, "Bytes that the matches of all routes of one namespace take in the router of a worker at most, 0 for no limit.",
		func(l *Limits) *int { return &l.Namespace.Match }},
}
