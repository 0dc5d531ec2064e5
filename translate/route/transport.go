package route

// Transport is how requests get from the gateway to an endpoint. What is nil or empty
// has Kong's default.
type Transport struct {
	// Path is before the path of each request.
	Path string
	// Timeouts are in milliseconds.
	ConnectTimeout, ReadTimeout, WriteTimeout *int
	Retries                                   *int
	// ClientCertificate is the id of the certificate that the gateway shows.
	ClientCertificate string
	// TLSVerify has the endpoint's certificate verified, by CACertificates if there are any.
	TLSVerify      *bool
	TLSVerifyDepth *int
	// CACertificates are ids.
	CACertificates []string
}

// CACertificate is one that others are verified by, in PEM.
type CACertificate struct {
	ID   string
	Cert string
	Tags []string
}

// Balancing is how requests are spread over endpoints, and which of those are left out.
// What is nil or empty has Kong's default.
type Balancing struct {
	// Algorithm is "round-robin", "consistent-hashing", "least-connections" or "latency".
	Algorithm string
	Slots     *int
	// HashOn and HashFallback are for consistent hashing.
	HashOn, HashFallback Hash
	Health               *Health
}

// Hash is what of a request is hashed.
type Hash struct {
	// On is Kong's word: "header", "cookie", "ip", "consumer", "path", "query_arg",
	// "uri_capture", or empty for nothing.
	On string
	// Name is that of the header, cookie, query parameter or capture.
	Name string
	// CookiePath is for a cookie that the gateway sets.
	CookiePath string
}

// Health is how endpoints that fail are told from others.
type Health struct {
	// Active probes endpoints, Passive observes the answers to requests.
	Active, Passive *Check
	// Threshold is the percentage of the weight that has to be healthy.
	Threshold *float64
}

// Check tells healthy endpoints from unhealthy ones. Passive checks have a type and the
// two results alone, without intervals.
type Check struct {
	// Type is "http", "https", "grpc", "grpcs" or "tcp".
	Type                 string
	Concurrency, Timeout *int
	Path, SNI            string
	VerifyCertificate    *bool
	Headers              map[string][]string
	Healthy, Unhealthy   *Outcome
}

// Outcome says how often something has to be seen before it counts. Seconds between
// probes are the Interval.
type Outcome struct {
	Interval                            *int
	Statuses                            []int
	Successes                           *int
	HTTPFailures, TCPFailures, Timeouts *int
}
