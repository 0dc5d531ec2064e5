package declarative

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// kind is the type of a field.
type kind int

const (
	anyKind kind = iota
	text
	integer
	boolean
	texts
	reference
)

// field is the checked part of Kong's schema of a field.
type field struct {
	kind     kind
	required bool
	low, max float64 // of integers, unless both are 0
	oneOf    []string
	check    func(value string) string // the error, or ""
	to       string                    // the collection a reference is to
}

type schema map[string]field

// collections are the collections that the stand-in serves, in the order in which they are checked.
var collections = []string{"certificates", "snis", "services", "routes", "upstreams", "targets", "plugins"}

// children are the collections that may be nested in another's entities, and the
// field by which they then refer to it.
var children = map[string]map[string]string{
	"services":     {"routes": "service", "plugins": "service"},
	"routes":       {"plugins": "route"},
	"upstreams":    {"targets": "upstream"},
	"certificates": {"snis": "certificate"},
}

// ignored are the collections that Kong has and the stand-in ignores.
var ignored = strings.Fields(`acls acme_storage basicauth_credentials ca_certificates consumer_group_consumers
	consumer_groups consumers filter_chains hmacauth_credentials jwt_secrets key_sets keyauth_credentials keys
	oauth2_credentials parameters plugins_config sessions vaults workspaces`)

var schemas = map[string]schema{
	"certificates": common(schema{
		"cert": {kind: text, required: true}, "key": {kind: text, required: true},
		"cert_alt": {kind: text}, "key_alt": {kind: text},
	}),
	"snis": common(schema{
		"name":        {kind: text, required: true, check: wildcardHost},
		"certificate": {kind: reference, required: true, to: "certificates"},
	}),
	"services": common(schema{
		"name": {kind: text, check: entityName}, "host": {kind: text, required: true},
		"protocol": {kind: text, oneOf: protocols}, "path": {kind: text, check: absolutePath},
		"port":            {kind: integer, low: 0, max: 65535},
		"retries":         {kind: integer, low: 0, max: 32767},
		"connect_timeout": {kind: integer, low: 1, max: math.MaxInt32 - 1},
		"write_timeout":   {kind: integer, low: 1, max: math.MaxInt32 - 1},
		"read_timeout":    {kind: integer, low: 1, max: math.MaxInt32 - 1},
		"enabled":         {kind: boolean}, "tls_verify": {kind: boolean},
		"tls_verify_depth": {kind: integer, low: 0, max: 64}, "ca_certificates": {kind: texts},
		"client_certificate": {kind: reference, to: "certificates"},
	}),
	"routes": common(schema{
		"name": {kind: text, check: entityName}, "expression": {kind: text},
		"priority": {kind: integer, low: 0, max: 1<<46 - 1}, "protocols": {kind: texts, oneOf: protocols},
		"strip_path": {kind: boolean}, "preserve_host": {kind: boolean},
		"https_redirect_status_code": {kind: integer, oneOf: []string{"426", "301", "302", "307", "308"}},
		"request_buffering":          {kind: boolean}, "response_buffering": {kind: boolean},
		"path_handling": {kind: text, oneOf: []string{"v0", "v1"}}, "regex_priority": {kind: integer},
		"service": {kind: reference, to: "services"},
	}),
	"upstreams": common(schema{
		"name":      {kind: text, required: true},
		"algorithm": {kind: text, oneOf: []string{"consistent-hashing", "least-connections", "round-robin", "latency"}},
		"hash_on":   {kind: text}, "hash_fallback": {kind: text}, "hash_on_header": {kind: text},
		"hash_fallback_header": {kind: text}, "hash_on_cookie": {kind: text}, "hash_on_cookie_path": {kind: text},
		"hash_on_query_arg": {kind: text}, "hash_fallback_query_arg": {kind: text},
		"hash_on_uri_capture": {kind: text}, "hash_fallback_uri_capture": {kind: text},
		"slots": {kind: integer, low: 10, max: 65536}, "healthchecks": {}, "host_header": {kind: text},
		"client_certificate": {kind: reference, to: "certificates"}, "use_srv_name": {kind: boolean},
	}),
	"targets": common(schema{
		"target": {kind: text, required: true, check: targetAddress},
		"weight": {kind: integer, low: 0, max: 65535}, "upstream": {kind: reference, required: true, to: "upstreams"},
	}),
	"plugins": common(schema{
		"name": {kind: text, required: true}, "instance_name": {kind: text}, "enabled": {kind: boolean},
		"protocols": {kind: texts, oneOf: protocols}, "config": {},
		"route": {kind: reference, to: "routes"}, "service": {kind: reference, to: "services"},
		"consumer": {}, "consumer_group": {}, "ordering": {},
	}),
}

// termination is the schema of request-termination's config.
var termination = schema{
	"status_code": {kind: integer, low: 100, max: 599}, "message": {kind: text}, "content_type": {kind: text},
	"body": {kind: text}, "echo": {kind: boolean}, "trigger": {kind: text},
}

var protocols = strings.Fields("grpc grpcs http https tcp tls tls_passthrough udp ws wss")

func common(s schema) schema {
	s["id"] = field{kind: text, check: func(v string) string {
		if !isUUID(v) {
			return "expected a valid UUID"
		}
		return ""
	}}
	s["tags"] = field{kind: texts, check: tag}
	s["created_at"], s["updated_at"] = field{}, field{}
	return s
}

func isUUID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

var namePattern = regexp.MustCompile(`^[0-9A-Za-z.\-_~\x{80}-\x{10ffff}]+$`)

func entityName(v string) string {
	if !namePattern.MatchString(v) {
		return fmt.Sprintf("invalid value '%s': the only accepted ascii characters are alphanumerics or ., -, _, and ~", v)
	}
	return ""
}

var tagPattern = regexp.MustCompile(`^[ -+\-.0-~\x{80}-\x{10ffff}]+$`)

func tag(v string) string {
	if !tagPattern.MatchString(v) {
		return "invalid tag '" + v + "': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
	}
	return ""
}

func absolutePath(v string) string {
	if !strings.HasPrefix(v, "/") {
		return "should start with: /"
	}
	return ""
}

func wildcardHost(v string) string {
	switch n := strings.Count(v, "*"); {
	case v == "" || strings.ContainsAny(v, "/ _\t"):
		return "invalid value: " + v
	case strings.Contains(v, ":"):
		return "must not have a port"
	case n > 1:
		return "only one wildcard must be specified"
	case n == 1 && v != "*" && !strings.HasPrefix(v, "*.") && !strings.HasSuffix(v, ".*"):
		return "wildcard must be leftmost or rightmost character"
	}
	return ""
}

func targetAddress(v string) string {
	if _, _, err := splitTarget(v); err != nil {
		return "Invalid target ('" + v + "'); not a valid hostname or ip address"
	}
	return ""
}
