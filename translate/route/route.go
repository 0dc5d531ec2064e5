package route

// Route sends what matches to a backend.
type Route struct {
	// Name is the Kong route's name, unique in a configuration.
	Name  string
	Match Match
	// Place orders routes whose matches have the same rank: the higher comes first.
	Place uint64
	// Backend is the name of the Kong service; empty if a plugin answers.
	Backend string
	// Protocols are those of Kong: "http", "https", "grpc", ...
	Protocols []string
	// StripPath takes the matched part off the path before the request is sent on.
	StripPath bool
	// PreserveHost sends the client's Host header on, not the backend's name.
	PreserveHost bool
	// HTTPSRedirectStatus answers plain requests to a route of https alone.
	HTTPSRedirectStatus int
	// Buffer the whole request, or response, before it is sent on.
	BufferRequest, BufferResponse bool
	// Plugins are those of this route alone.
	Plugins []Plugin
	// Refuse, if not empty, makes the route answer 503 with this message: for a
	// route that has to be there but cannot be served as its owner asked.
	Refuse string
	Tags   []string
}

// Match tells which requests a route is for. Empty parts match everything.
type Match struct {
	// Fallback marks a match that comes after all others: a default backend.
	Fallback bool
	// Untaken marks a match of what no other route takes, not even a fallback.
	Untaken bool
	Host    Host
	// Deep has a wildcard host stand for any number of labels, not exactly one.
	Deep bool
	// NotHosts are hosts that are somebody else's, although Host has them; wildcards
	// among them are deep.
	NotHosts []Host
	// Connections, if there are any, leave only requests whose client asked over TLS for a name
	// that none of them has: the connection is for another host. Such requests come before all
	// others for the host, and if Foremost is set before all others.
	Connections []ServerNames
	Foremost    bool
	// Port is that of Kong which requests have to come to. None of them is for a route
	// without a port then.
	Port int
	// Scheme is "http" or "https", or empty for both.
	Scheme string
	Path   Path
	// Methods are alternatives, as are SNIs: names that a TLS client may ask for.
	Methods []string
	SNIs    []string
	// Headers and Queries all have to match.
	Headers []Values
	Queries []Values
}

// ServerNames are names that a TLS client may ask for: those of a host, of which wildcards stand
// for any number of labels, but for others within it.
type ServerNames struct {
	Host Host
	Not  []Host
}

// Values compares a header or query parameter: one of the values is to be equal or, if
// they are regular expressions, to match.
type Values struct {
	Name   string
	Values []string
	Regex  bool
}

// Host is a lower-case host name, "*." and a domain for exactly one label before
// the domain, a name and ".*" for whatever comes after it, or empty for any host.
type Host string

// Wildcard tells whether the host stands for many.
func (h Host) Wildcard() bool { return len(h) > 1 && h[0] == '*' && h[1] == '.' }

// Domain is what follows the wildcard: "example.com" for "*.example.com".
func (h Host) Domain() string { return string(h[2:]) }

// Open tells whether the host's end is open.
func (h Host) Open() bool { return len(h) > 2 && h[len(h)-2] == '.' && h[len(h)-1] == '*' }

// Begin is what an open host begins with: "example." for "example.*".
func (h Host) Begin() string { return string(h[:len(h)-1]) }

// AnyPath matches all paths.
var AnyPath = Path{Kind: Elements, Value: "/"}

// PathKind is a way to compare paths.
type PathKind int

const (
	// Elements matches whole path elements: "/a" matches "/a" and "/a/b", not
	// "/ab". A trailing slash has no meaning. "/" and "" match every path.
	Elements PathKind = iota
	// Exact matches the path as it is.
	Exact
	// Characters matches every path that begins with the value.
	Characters
	// Regex matches by a regular expression from the path's begin.
	Regex
	// Last matches by the path's last element, whatever is before it.
	Last
)

// Path is a value and the way to compare it.
type Path struct {
	Kind  PathKind
	Value string
}
