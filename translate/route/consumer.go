package route

// Consumer is who sends requests.
type Consumer struct {
	// Name is what the consumer's id is made of.
	Name string
	// Username and CustomID are what people and plugins call it; one may be empty.
	Username, CustomID string
	Tags               []string
}

// Credential is what a consumer proves to be itself by, or what it belongs to.
type Credential struct {
	// Name is what the credential's id is made of. It tells nothing of the fields.
	Name string
	// Consumer is the consumer's name.
	Consumer string
	// Fields are those of Kong's entity.
	Fields map[string]any
	Tags   []string
}
