package route

import "encoding/json"

// Plugin is a plugin of Kong with its configuration. What it is for is said by what
// has it: a route, a backend, a consumer, or nothing for all requests.
type Plugin struct {
	// Name is the plugin's: "key-auth".
	Name string
	// Config is a JSON object as Kong's schema of the plugin has it, or empty.
	Config json.RawMessage
	// Instance tells several of one plugin apart for people; it may be empty.
	Instance string
	Disabled bool
	// Protocols limit it; empty for the plugin's own default.
	Protocols []string
	// Ordering is Kong's, or empty.
	Ordering json.RawMessage
	// Consumer and ConsumerGroup are names that it is limited to; empty for all.
	Consumer      string
	ConsumerGroup string
	Tags          []string
}
