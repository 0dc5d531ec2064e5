package adminapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/plugin/internal/calls"
)

// kongSources is where Kong's packages install its Lua sources.
const kongSources = "/usr/local/share/lua/5.1/kong"

// companionSources are the sources of the plugin kube-sync-delta.
const companionSources = "../../../kong-conf/lua/kong/plugins/kube-sync-delta"

// TestKongMessages checks how messages of Kong and the companion are read, and that their sources
// still contain each message. Part is how the message is written in the source file and function.
func TestKongMessages(t *testing.T) {
	is := func(want string) func(string) string {
		return func(message string) string {
			if message == want {
				return "yes"
			}
			return "no"
		}
	}
	says := func(recognizes func(string) bool) func(string) string {
		return func(message string) string {
			if recognizes(message) {
				return "yes"
			}
			return "no"
		}
	}
	conflict := func(message string) string {
		row := RefusedEntity{Messages: []string{"x", message}}
		if !row.IsConflict() {
			return "no"
		}
		return row.ContestedField()
	}
	inUse := says(func(message string) bool {
		return (&RefusedError{Entities: []RefusedEntity{{}, {Messages: []string{message}}}}).InUse()
	})
	for name, test := range map[string]struct {
		reads         func(string) string
		message, want string
		dir, file     string
		function      string
		part          string
	}{
		"a nested reference": {is(mustBeNull), "value must be null", "yes",
			kongSources, "db/schema/others/declarative_config.lua", "extract_null_errors", `"value must be null"`},
		"another constant": {is(mustBeNull), "value must be true", "no",
			kongSources, "db/schema/init.lua", "EQ ", `"value must be %s"`},
		"an unknown field": {is(UnknownField), "unknown field", "yes",
			kongSources, "db/schema/init.lua", "resolve_field", `"unknown field"`},
		"an unknown subtype": {is(UnknownField), "unknown type: nope", "no",
			kongSources, "db/schema/init.lua", "SUBSCHEMA_UNKNOWN", `"unknown type: %s"`},
		"with a database": {says(saysDatabase), "this endpoint is only available when Kong is configured to not use a database", "yes",
			kongSources, "api/routes/config.lua", "POST", `"this endpoint is only available when Kong is " ..`},
		"a body in a file": {says(saysNoBody), "expected a declarative configuration", "yes",
			kongSources, "api/routes/config.lua", "hydrate_config_from_request", `"expected a declarative configuration"`},
		"an invalid configuration": {says(saysNoBody), "declarative config is invalid: {}", "no",
			kongSources, "db/errors.lua", "declarative_config", `"declarative config is invalid: %s"`},
		"a full map": {says(saysMapIsFull), `Configuration does not fit in LMDB database, consider raising the "lmdb_map_size" config for Kong`, "yes",
			kongSources, "api/routes/config.lua", "POST", `"Configuration does not fit in LMDB database, " ..`},
		"a full map is no full disk": {says(saysDiskIsFull), `Configuration does not fit in LMDB database, consider raising the "lmdb_map_size" config for Kong`, "no",
			companionSources, "apply.lua", "NO_ROOM", `"Configuration does not fit in LMDB database, " ..`},
		"a full disk": {says(saysDiskIsFull), "Configuration does not fit on the disk of Kong's LMDB database, or that cannot be written", "yes",
			companionSources, "apply.lua", "NO_ROOM", `"Configuration does not fit on the disk of Kong's LMDB database, or that cannot be written"`},
		"a key that exists twice": {redact, "uniqueness violation: 'keyauth_credentials' entity with key set to 'hush' already declared",
			"uniqueness violation: 'keyauth_credentials' entity with key set to '***' already declared",
			kongSources, "db/schema/others/declarative_config.lua", "uniqueness_error_msg", `"with " .. key .. " set to '" .. value .. "' already declared"`},
		"a key that exists, says the companion": {redact, "uniqueness violation: 'jwt_secrets' entity with secret set to 'hush' already declared",
			"uniqueness violation: 'jwt_secrets' entity with secret set to '***' already declared",
			companionSources, "check.lua", "check_unique", `name .. " set to '" .. value .. "' already declared"`},
		"a field that is contested": {conflict, "uniqueness violation: 'routes' entity with name set to 'web' already declared", "name",
			kongSources, "db/schema/others/declarative_config.lua", "uniqueness_error_msg", `"with " .. key .. " set to '" .. value .. "' already declared"`},
		"a contested field, says the companion": {conflict, "uniqueness violation: 'snis' entity with name set to 'a.example' already declared", "name",
			companionSources, "check.lua", "check_unique", `"uniqueness violation: '" .. kind .. "' entity with " ..`},
		"an id that is contested": {conflict, "uniqueness violation: 'routes' entity with primary key set to 'x' already declared", PrimaryKey,
			companionSources, "check.lua", "function index", `"uniqueness violation: '" .. kind .. "' entity with primary key set to '" ..`},
		"no contest": {conflict, "unknown field", "no", "", "", "", ""},
		"an entity in use": {inUse, "cannot be deleted: service of x in 'routes' refers to it", "yes",
			companionSources, "check.lua", "check_deletes", `"cannot be deleted: " .. field`},
		"an entity that is not in use": {inUse, "uniqueness violation: 'routes' entity with name set to 'web' already declared", "no", "", "", "", ""},
		"a name that exists twice is no secret": {redact, "uniqueness violation: 'routes' entity with name set to 'web' already declared",
			"uniqueness violation: 'routes' entity with name set to 'web' already declared",
			kongSources, "db/schema/others/declarative_config.lua", "populate_references", `uniqueness_error_msg(entity, `},
		"an invalid value": {WithoutValues, "config.key: invalid value: hush", "config.key: invalid value: ***",
			kongSources, "db/schema/init.lua", "MATCH ", `"invalid value: %s"`},
		"an invalid host": {WithoutValues, "host: invalid value: hush", "host: invalid value: ***",
			kongSources, "db/schema/typedefs.lua", "validate_host", `"invalid value: " .. host`},
		"an invalid tag": {WithoutValues, "tags: invalid tag 'hu'sh': expected printable ascii", "tags: invalid tag ***",
			kongSources, "db/schema/typedefs.lua", "validate_tag", `"invalid tag '" .. tag ..`},
		"an invalid redirect URI": {WithoutValues, "redirect_uris.1: cannot parse 'hush'", "redirect_uris.1: cannot parse ***",
			kongSources, "plugins/oauth2/daos.lua", "validate_uri", `"cannot parse '" .. uri .. "'"`},
		"a key of a Secret that exists twice": {WithoutValues, "uniqueness violation: 'x' entity with key set to 'hush'", "uniqueness violation: *** entity with key set to ***",
			kongSources, "db/schema/others/declarative_config.lua", "uniqueness_error_msg", `"uniqueness violation: '" .. entity`},
		"quotation marks": {WithoutValues, `config.uri: "hush" is not a URL`, "config.uri: *** is not a URL", "", "", "", ""},
		"without a value": {WithoutValues, "config.minute: expected a number", "config.minute: expected a number",
			kongSources, "db/schema/init.lua", "NUMBER", `"expected a number"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.reads(test.message); got != test.want {
				t.Errorf("%q is read as %q, want %q", test.message, got, test.want)
			}
			if test.file == "" {
				return
			}
			source, err := os.ReadFile(filepath.Join(test.dir, test.file))
			if os.IsNotExist(err) && test.dir == kongSources {
				t.Skipf("there is no Kong in %s: its source is not compared", kongSources)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, words := range []string{test.function, test.part} {
				if !strings.Contains(string(source), words) {
					t.Errorf("%s has no %s", test.file, words)
				}
			}
		})
	}
}

// TestMessagesAreReadInOneFile checks that no other file reads the messages of a refusal.
func TestMessagesAreReadInOneFile(t *testing.T) {
	for _, call := range calls.InDirectory(t) {
		if call.File != "kong_messages.go" && call.Package == "strings" && call.Function != "Join" && calls.ReadsMessage(call) {
			t.Errorf("%s: strings.%s reads a message", call.File, call.Function)
		}
	}
}
