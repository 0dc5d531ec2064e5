package bench

// feature is something that a rule of an HTTPRoute may have besides a backend.
type feature struct {
	Name string // for people
	By   string // who does it
	// rule is the route's rule without matches: the entries of a map in YAML.
	rule string
	// status is the status of a right answer. headers are those of the request.
	status  int
	headers map[string]string
}

// What implements the feature.
const (
	byKong  = "Kong's entities"
	byLua   = "Lua in the worker"
	byRelay = "the relay"
)

const toBackend = `backendRefs: [{name: backend, port: 80}]`

// plain is the feature with which the others are compared.
const plain = "one backend"

var features = []feature{
	{Name: plain, By: byKong, rule: toBackend},
	{Name: "two backends by weight", By: byKong, rule: `backendRefs: [{name: backend, port: 80, weight: 3}, {name: other, port: 80}]`},
	{Name: "backend timeout", By: byKong, rule: `timeouts: {backendRequest: 10s}, ` + toBackend},
	{Name: "h2c backend", By: byKong, rule: `backendRefs: [{name: h2c, port: 80}]`},
	{Name: "HTTPS backend, not verified", By: byKong, rule: `backendRefs: [{name: https, port: 80}]`},
	{Name: "KongPlugin request-transformer, for comparison", By: "a bundled plugin",
		rule: `filters: [{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: transform}}], ` + toBackend},
	{Name: "request header", By: byLua, rule: `filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: a}]}}], ` + toBackend},
	{Name: "response header", By: byLua, rule: `filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-A, value: a}]}}], ` + toBackend},
	{Name: "rewritten host and path", By: byLua,
		rule: `filters: [{type: URLRewrite, urlRewrite: {hostname: other.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}}], ` + toBackend},
	{Name: "redirect", By: byLua, status: 301, rule: `filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]`},
	{Name: "CORS", By: byLua, headers: map[string]string{"Origin": "https://www.example"},
		rule: `filters: [{type: CORS, cors: {allowOrigins: ["https://*.example"]}}], ` + toBackend},
	{Name: "header of one backend of two", By: byLua,
		rule: `backendRefs: [{name: backend, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: a}]}}]}, {name: other, port: 80}]`},
	{Name: "mirror", By: byRelay, rule: `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: other, port: 80}}}], ` + toBackend},
	{Name: "mirror of 1 %", By: byRelay, rule: `filters: [{type: RequestMirror, requestMirror: {backendRef: {name: other, port: 80}, percent: 1}}], ` + toBackend},
	{Name: "retries", By: byRelay, rule: `retry: {codes: [503], attempts: 2}, timeouts: {request: 10s, backendRequest: 3s}, ` + toBackend},
	{Name: "sessions", By: byRelay, rule: `sessionPersistence: {}, ` + toBackend},
	{Name: "HTTPS backend with a BackendTLSPolicy", By: byRelay, rule: `backendRefs: [{name: verified, port: 80}]`},
}

// right reports whether an answer has the right status.
func (f feature) right(status int) bool { return status == max(f.status, 200) }
