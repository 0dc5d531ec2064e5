package route

// Route sends matching requests to a backend.
type Route struct {
	// Name is the Kong route's name, unique in a configuration.
	Name  string
	Match Match
	// Place orders routes whose matches have the same rank: the higher comes first.
	Place uint64
	// Backend is the name of the Kong service; empty if a plugin answers.
	Backend string
	// Protocols are Kong's: "http", "https", "grpc", ...
	Protocols []string
	// StripPath removes the matched part of the path from the forwarded request.
	StripPath bool
	// PreserveHost forwards the client's Host header instead of the backend's name.
	PreserveHost bool
	// HTTPSRedirectStatus is the status for plain requests to a route for https only.
	HTTPSRedirectStatus int
	// BufferRequest and BufferResponse buffer the whole message before forwarding it.
	BufferRequest, BufferResponse bool
	// Plugins apply to this route only.
	Plugins []Plugin
	// Refuse, if not empty, makes the route answer 503 with this message: for a route that must
	// exist but cannot be served as its owner asked.
	Refuse string
	Tags   []string
}

// Match selects requests. Empty parts match everything.
type Match struct {
	// Fallback marks a match that comes after all others: a default backend.
	Fallback bool
	// Untaken marks a match for requests that no other route matches, not even a fallback.
	Untaken bool
	Host    Host
	// Deep makes a wildcard host cover any number of labels instead of exactly one.
	Deep bool
	// NotHosts are hosts within Host that belong to others; wildcards among them are deep.
	NotHosts []Host
	// Connections, if not empty, restrict the match to requests over TLS connections for none of
	// these names: for another host than the request's. The match precedes all others for the
	// host, and with Foremost all others.
	Connections []ServerNames
	Foremost    bool
	// Port is the port of Kong at which requests arrive. Routes without a port do not match them
	// then.
	Port int
	// Scheme is "http" or "https", or empty for both.
	Scheme string
	Path   Path
	// Methods are alternatives, as are SNIs, the server names that a TLS client may send.
	Methods []string
	SNIs    []string
	// Headers and Queries must all match.
	Headers []Values
	Queries []Values
}

// ServerNames are server names that a TLS client may send: those of Host, whose wildcard covers
// any number of labels, except those of Not.
type ServerNames struct {
	Host Host
	Not  []Host
}

// Values matches a header or query parameter that equals one of the values, or matches one of
// them as a regular expression.
type Values struct {
	Name   string
	Values []string
	Regex  bool
}

// Host is a lower-case host name; "*." and a domain, for exactly one label before the domain; a
// name and ".*", for any end; or empty, for any host.
type Host string

// Wildcard reports whether the host starts with a wildcard.
func (h Host) Wildcard() bool { return len(h) > 1 && h[0] == '*' && h[1] == '.' }

// Domain returns what follows the wildcard: "example.com" for "*.example.com".
func (h Host) Domain() string { return string(h[2:]) }

// Open reports whether the host's end is open.
func (h Host) Open() bool { return len(h) > 2 && h[len(h)-2] == '.' && h[len(h)-1] == '*' }

// Begin returns the fixed start of an open host: "example." for "example.*".
func (h Host) Begin() string { return string(h[:len(h)-1]) }

// AnyPath matches all paths.
var AnyPath = Path{Kind: Elements, Value: "/"}

// PathKind is a way to compare paths.
type PathKind int

const (
	// Elements matches whole path elements: "/a" matches "/a" and "/a/b", not "/ab". A final
	// slash has no meaning. "/" and "" match every path.
	Elements PathKind = iota
	// Exact matches the equal path.
	Exact
	// Characters matches every path that starts with the value.
	Characters
	// Regex matches a regular expression at the start of the path.
	Regex
	// Last matches the path's last element, whatever precedes it.
	Last
)

// Path is a value and the way to compare it.
type Path struct {
	Kind  PathKind
	Value string
}
