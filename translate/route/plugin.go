package route

import "encoding/json"

// Plugin is a plugin of Kong with its configuration. What it is for is said by what
// has it: a route, a backend, a consumer, or nothing for all requests.
type Plugin struct {
	// Name is the plugin's: "key-auth".
	Name string
	// Config is a JSON object as Kong's schema of the plugin has it, or empty.
	Config json.RawMessage
	// Secret tells that some of the configuration is of a Secret.
	Secret bool
	// Instance tells several of one plugin apart for people; it may be empty.
	Instance string
	Disabled bool
	// Protocols limit it; empty for the plugin's own default.
	Protocols []string
	// Consumer is the name of the one that it is limited to; empty for all.
	Consumer string
	Tags     []string
	// Entities are what the plugin brings along wherever it is.
	Entities []Custom
}

// NewPlugin returns a plugin with a configuration of strings, numbers and structs of these.
func NewPlugin(name string, config any) Plugin {
	encoded, err := json.Marshal(config)
	if err != nil {
		panic(err)
	}
	return Plugin{Name: name, Config: encoded}
}

// Custom is an entity that a plugin brings along, in the words of whoever wrote it.
type Custom struct {
	// Namespace and Name are those of the object that it is made of.
	Namespace, Name string
	Type            string
	// Fields are a JSON object.
	Fields json.RawMessage
}
