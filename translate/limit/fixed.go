package limit

// Bounds without a setting: they exceed any sensible use and keep the translation cheap.
const (
	// Items is the number of items of a list in an annotation that are read.
	Items = 1000
	// Tags is the number of user-defined tags of an object, and TagBytes is their total length.
	// Each entity of the object has all of them.
	Tags     = 100
	TagBytes = 4 << 10
	// Plugins is the number of plugins that an object may name. Each is looked up for each
	// object.
	Plugins = 100
	// OwnListeners is the factor by which ListenerSets of a Gateway's own namespace may add more
	// listeners than those of another namespace.
	OwnListeners = 10
	// Comparisons is the number of host comparisons for one Gateway that find the listeners which
	// share a certificate's other names.
	Comparisons = 1_000_000
	// RouteListeners is the number of listeners to which a route is attached. Thirty-two Gateways
	// have 2048.
	RouteListeners = 512
	// Hosts is the number of hosts, summed over listeners, for which a route is served.
	Hosts = 1000
	// HostLabels is the number of labels of a route's hosts, summed over listeners. Each takes
	// half a kilobyte.
	HostLabels = 20_000
	// Verdicts is the number of verdicts of one condition that a unit has on one object.
	Verdicts = 100
	// Message is the length of a verdict's message in bytes. An API server accepts 32 KiB in a
	// condition, which may join several, and 1 KiB in an Event.
	Message = 4 << 10
)
