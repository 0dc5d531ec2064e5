package route

import "encoding/json"

// Plugin is a plugin of Kong with its configuration. It applies to its holder: a route, a
// backend, a consumer, or all requests.
type Plugin struct {
	// Name is the plugin's name: "key-auth".
	Name string
	// Config is a JSON object by Kong's schema of the plugin, or empty.
	Config json.RawMessage
	// Secret is set if some of the configuration comes from a Secret.
	Secret bool
	// Instance distinguishes several instances of one plugin for people; it may be empty.
	Instance string
	Disabled bool
	// Protocols limit the plugin; empty for its default.
	Protocols []string
	// Consumer is the name of the consumer that the plugin is limited to; empty for all.
	Consumer string
	Tags     []string
	// Entities are custom entities that the plugin needs for each holder.
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

// Custom is a custom entity of a plugin, as the user wrote it.
type Custom struct {
	// Namespace and Name identify the source object.
	Namespace, Name string
	Type            string
	// Fields are a JSON object.
	Fields json.RawMessage
}
