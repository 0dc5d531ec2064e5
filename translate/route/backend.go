package route

// Backend is a set of endpoints and how to connect to them: Kong's service, upstream and targets.
type Backend struct {
	// Name is the Kong service's name, and Host is the upstream's.
	Name string
	Host string
	// Protocol is Kong's: "http", "https", "grpc", ...
	Protocol string
	Port     int
	Targets  []Target
	Transport
	// Balancing is nil for Kong's defaults.
	Balancing *Balancing
	// HostHeader replaces a target's name in requests that do not preserve the client's Host
	// header; it may be empty.
	HostHeader string
	// Plugins apply to all routes to the backend.
	Plugins []Plugin
	// Refuse, if not empty, makes all routes to the backend answer 503.
	Refuse string
	Tags   []string
}

// Target is one endpoint.
type Target struct {
	// Address is "host:port", with brackets around an IPv6 host.
	Address string
	// Weight is the target's share; 0 for no new requests.
	Weight int
}

// Certificate is a TLS key pair in PEM.
type Certificate struct {
	ID   string
	Cert string
	Key  string
	Tags []string
}
