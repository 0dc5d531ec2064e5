package route

// Stream sends connections or datagrams to a backend by the port that they came to and,
// of TLS, by the server name.
type Stream struct {
	// Name is the Kong route's name, unique in a configuration.
	Name string
	// Protocols are "tcp", "tls" or "udp".
	Protocols []string
	Port      int
	// SNI may be empty for all names.
	SNI string
	// Backend is the name of the Kong service.
	Backend string
	// Plugins of the route alone.
	Plugins []Plugin
	// Refuse, unless empty, has all connections closed: something that protects the
	// route is not to be had.
	Refuse string
	Tags   []string
}
