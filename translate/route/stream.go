package route

// Stream sends connections or datagrams to a backend by their port and, with TLS, by the server
// name.
type Stream struct {
	// Name is the Kong route's name, unique in a configuration.
	Name string
	// Protocols are "tcp", "tls", "tls_passthrough" or "udp".
	Protocols []string
	Port      int
	// SNI is empty for all names; its wildcard covers any number of labels.
	SNI Host
	// NotSNIs are names within SNI that belong to others.
	NotSNIs []Host
	// Backend is the name of the Kong service; without one all connections are closed.
	Backend string
	// Plugins apply to this route only.
	Plugins []Plugin
	// Refuse, if not empty, closes all connections, because a plugin that protects the route is
	// unavailable.
	Refuse string
	Tags   []string
}
