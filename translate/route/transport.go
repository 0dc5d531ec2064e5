package route

// Transport is how requests get from the gateway to an endpoint. Nil and empty fields stand for
// Kong's defaults.
type Transport struct {
	// Path is prepended to the path of each request.
	Path string
	// Timeouts are in milliseconds.
	ConnectTimeout, ReadTimeout, WriteTimeout *int
	Retries                                   *int
	// ClientCertificate is the id of the gateway's client certificate.
	ClientCertificate string
	// TLSVerify verifies the endpoint's certificate, by CACertificates if there are any.
	TLSVerify      *bool
	TLSVerifyDepth *int
	// CACertificates are ids.
	CACertificates []string
}

// CACertificate is a CA certificate in PEM.
type CACertificate struct {
	ID   string
	Cert string
	Tags []string
}

// Balancing is how requests are spread over endpoints, and which endpoints are skipped. Nil and
// empty fields stand for Kong's defaults.
type Balancing struct {
	// Algorithm is "round-robin", "consistent-hashing", "least-connections" or "latency".
	Algorithm string
	Slots     *int
	// HashOn and HashFallback are for consistent hashing.
	HashOn, HashFallback Hash
	Health               *Health
}

// Hash is the part of a request that is hashed.
type Hash struct {
	// On is Kong's name for the part: "header", "cookie", "ip", "consumer", "path", "query_arg",
	// "uri_capture", or empty for nothing.
	On string
	// Name is the name of the header, cookie, query parameter or capture.
	Name string
	// CookiePath is for a cookie that the gateway sets.
	CookiePath string
}

// Health is how failing endpoints are detected.
type Health struct {
	// Active probes endpoints, and Passive observes responses to requests.
	Active, Passive *Check
	// Threshold is the percentage of the weight that must be healthy.
	Threshold *float64
}

// Check distinguishes healthy from unhealthy endpoints. Passive checks only have a type and the
// two outcomes, without intervals.
type Check struct {
	// Type is "http", "https", "grpc", "grpcs" or "tcp".
	Type                 string
	Concurrency, Timeout *int
	Path, SNI            string
	VerifyCertificate    *bool
	Headers              map[string][]string
	Healthy, Unhealthy   *Outcome
}

// Outcome is how many observations change an endpoint's state. Interval is the time between
// probes in seconds.
type Outcome struct {
	Interval                            *int
	Statuses                            []int
	Successes                           *int
	HTTPFailures, TCPFailures, Timeouts *int
}
