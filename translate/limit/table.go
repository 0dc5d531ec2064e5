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
	{PluginString, 64 * kib, "Maximum size of one string in the configuration of a plugin, in bytes; 0 means no limit.",
		func(l *Limits) *int { return &l.PluginString }},
	// Half the size limit of a Kubernetes object. Each route has a copy in Kong.
	{PluginConfig, 512 * kib, "Maximum size of the configuration of a plugin, a vault or a custom entity, in bytes; 0 means no limit.",
		func(l *Limits) *int { return &l.PluginConfig }},
	// A worker accepts 40 000 and dies at 50 000, because its stack overflows. Each takes 25
	// microseconds when the router is built, and 0.1 microseconds for each request that evaluates
	// it.
	{MatchTerms, 1000, "Maximum number of comparisons in the match of one route; 0 means no limit. Each host, path, method, server name and value of a header or query parameter is one or two comparisons.",
		func(l *Limits) *int { return &l.MatchTerms }},
	// A megabyte holds 17 occurrences of \w, 1000 of [^/], or 2000 comparisons with short values,
	// and takes 50 milliseconds to build. Usual regular expressions take 10 to 30 KB.
	{MatchBytes, 2 * mib, "Maximum memory that the match of one route takes in a worker's router, in bytes; 0 means no limit. Regular expressions take most of it.",
		func(l *Limits) *int { return &l.Match }},
	// Each adds a comparison to every route of every listener whose hosts include the added
	// listener's host.
	{Listeners, 100, "Maximum number of listeners that the ListenerSets of one namespace add to a Gateway in another namespace; 0 means no limit. ListenerSets in the Gateway's own namespace may add ten times as many.",
		func(l *Limits) *int { return &l.Listeners }},
	// Ten thousand routes at all 64 listeners of a Gateway make 640 000. Each takes 300 bytes and
	// 5 microseconds.
	{Attachments, 700_000, "Maximum number of listeners to which the routes of one namespace are attached, summed over the routes; 0 means no limit. The oldest routes are attached first; the others are not attached.",
		func(l *Limits) *int { return &l.Attachments }},
	// An HTTPRoute with 128 matches for 16 hosts makes 4096. Five thousand routes take 1.3 seconds.
	{ObjectEntities, 5000, "Maximum number of Kong entities that one object makes; 0 means no limit.",
		func(l *Limits) *int { return &l.Object.Entities }},
	// Ten times the size of five hundred routes with three usual plugins each.
	{ObjectBytes, 8 * mib, "Maximum size of the configuration that one object makes, in bytes; 0 means no limit.",
		func(l *Limits) *int { return &l.Object.Bytes }},
	// Ten thousand routes with Services and fifty thousand endpoints make 80 000. Ninety thousand
	// endpoints take 6 seconds; fifteen thousand routes, services and upstreams take 4.5 seconds.
	{NamespaceEntities, 100_000, "Maximum number of Kong entities that the objects of one namespace make; 0 means no limit. The oldest objects take precedence; the others are left out.",
		func(l *Limits) *int { return &l.Namespace.Entities }},
	// Ten thousand routes with all of the above are 28 MB. 64 MB of plugins take 3.5 seconds, and
	// 120 MB of memory in each worker.
	{NamespaceBytes, 64 * mib, "Maximum size of the configuration that the objects of one namespace make, in bytes; 0 means no limit.",
		func(l *Limits) *int { return &l.Namespace.Bytes }},
	// Ten thousand routes, each for one host and one path, take 20 MB in total. 32 MB of regular
	// expressions take 0.4 seconds.
	{NamespaceMatch, 32 * mib, "Maximum memory that the matches of all routes of one namespace take in a worker's router, in bytes; 0 means no limit.",
		func(l *Limits) *int { return &l.Namespace.Match }},
}
