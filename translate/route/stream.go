package route

// Stream sends connections or datagrams to a backend by the port that they came to and,
// of TLS, by the server name.
type Stream struct {
	// Name is the Kong route's name, unique in a configuration.
	Name string
	// Protocols are "tcp", "tls", "tls_passthrough" or "udp".
	Protocols []string
	Port      int
	// SNI may be empty for all names; its wildcard stands for any number of labels.
	SNI Host
	// NotSNIs are names that are somebody else's, although SNI has them.
	NotSNIs []Host
	// Backend is the name of the Kong service; without one all connections are closed.
	Backend string
	// Plugins of the route alone.
	Plugins []Plugin
	// Refuse, unless empty, has all connections closed: something that protects the
	// route is not to be had.
	Refuse string
	Tags   []string
}
