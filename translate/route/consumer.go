package route

// Consumer is a client that plugins can authenticate.
type Consumer struct {
	// Name determines the consumer's id.
	Name string
	// Username and CustomID identify the consumer; one may be empty.
	Username, CustomID string
	Tags               []string
}

// Credential authenticates a consumer, or makes it a member of an ACL group.
type Credential struct {
	// Name determines the credential's id. It discloses nothing about the fields.
	Name string
	// Consumer is the consumer's name.
	Consumer string
	// Fields are the fields of Kong's entity.
	Fields map[string]any
	Tags   []string
}
