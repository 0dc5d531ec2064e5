package limit

// Bounds without a setting: what is above them has no meaning to anybody, and would cost the
// translation more than it is worth.
const (
	// Items is how many items of a list in an annotation are read.
	Items = 1000
	// Tags is how many tags an object's entities have of its own, and TagBytes how long they
	// are together. Each entity of the object has all of them.
	Tags     = 100
	TagBytes = 4 << 10
	// Plugins is how many plugins an object names. Each is looked up for each object.
	Plugins = 100
	// OwnListeners is how many times as many listeners the ListenerSets of a Gateway's own
	// namespace add to it as those of another namespace.
	OwnListeners = 10
	// Comparisons is how many hosts are compared for one Gateway to find which of its listeners
	// have a certificate's other names.
	Comparisons = 1_000_000
	// RouteListeners is to how many listeners a route is attached. Thirty-two Gateways have 2048.
	RouteListeners = 512
	// Hosts is for how many hosts at different listeners a route is served.
	Hosts = 1000
	// HostLabels is how many labels the hosts of a route have at most, those at each listener
	// added up. Each takes half a kilobyte.
	HostLabels = 20_000
	// Verdicts is how many verdicts of one kind a unit has about one object.
	Verdicts = 100
	// Message is how long the message of a verdict is, in bytes. An API server takes 32 KiB
	// of a condition, of which there are several, and 1 KiB of an Event.
	Message = 4 << 10
)
