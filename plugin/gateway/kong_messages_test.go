package gateway

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kongSources is where packages of Kong have its Lua sources.
const kongSources = "/usr/local/share/lua/5.1/kong"

// companionSources are those of the plugin kube-sync-delta.
const companionSources = "../../kong-conf/lua/kong/plugins/kube-sync-delta"

// TestKongMessages holds what is read of each message that Kong and the companion make, and that
// their sources still make it so. Part is how the source has it, in the file and function named.
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
		if !row.conflict() {
			return "no"
		}
		return row.contested().name
	}
	inUse := says(func(message string) bool {
		return (&RefusedError{Entities: []RefusedEntity{{}, {Messages: []string{message}}}}).saysInUse()
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
		"an unknown field": {is(unknownField), "unknown field", "yes",
			kongSources, "db/schema/init.lua", "resolve_field", `"unknown field"`},
		"an unknown subtype": {is(unknownField), "unknown type: nope", "no",
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
		"an id that is contested": {conflict, "uniqueness violation: 'routes' entity with primary key set to 'x' already declared", primaryKey,
			companionSources, "check.lua", "function index", `"uniqueness violation: '" .. kind .. "' entity with primary key set to '" ..`},
		"no contest": {conflict, "unknown field", "no", "", "", "", ""},
		"an entity in use": {inUse, "cannot be deleted: service of x in 'routes' refers to it", "yes",
			companionSources, "check.lua", "check_deletes", `"cannot be deleted: " .. field`},
		"an entity that is not in use": {inUse, "uniqueness violation: 'routes' entity with name set to 'web' already declared", "no", "", "", "", ""},
		"a name that exists twice is no secret": {redact, "uniqueness violation: 'routes' entity with name set to 'web' already declared",
			"uniqueness violation: 'routes' entity with name set to 'web' already declared",
			kongSources, "db/schema/others/declarative_config.lua", "populate_references", `uniqueness_error_msg(entity, `},
		"an invalid value": {withoutValues, "config.key: invalid value: hush", "config.key: invalid value: ***",
			kongSources, "db/schema/init.lua", "MATCH ", `"invalid value: %s"`},
		"an invalid host": {withoutValues, "host: invalid value: hush", "host: invalid value: ***",
			kongSources, "db/schema/typedefs.lua", "validate_host", `"invalid value: " .. host`},
		"an invalid tag": {withoutValues, "tags: invalid tag 'hu'sh': expected printable ascii", "tags: invalid tag ***",
			kongSources, "db/schema/typedefs.lua", "validate_tag", `"invalid tag '" .. tag ..`},
		"an invalid redirect URI": {withoutValues, "redirect_uris.1: cannot parse 'hush'", "redirect_uris.1: cannot parse ***",
			kongSources, "plugins/oauth2/daos.lua", "validate_uri", `"cannot parse '" .. uri .. "'"`},
		"a key of a Secret that exists twice": {withoutValues, "uniqueness violation: 'x' entity with key set to 'hush'", "uniqueness violation: *** entity with key set to ***",
			kongSources, "db/schema/others/declarative_config.lua", "uniqueness_error_msg", `"uniqueness violation: '" .. entity`},
		"quotation marks": {withoutValues, `config.uri: "hush" is not a URL`, "config.uri: *** is not a URL", "", "", "", ""},
		"without a value": {withoutValues, "config.minute: expected a number", "config.minute: expected a number",
			kongSources, "db/schema/init.lua", "NUMBER", `"expected a number"`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.reads(test.message); got != test.want {
				t.Errorf("%q is read as %q, not %q", test.message, got, test.want)
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

// TestMessagesAreReadInOneFile holds that no other file looks into the messages of a refusal.
func TestMessagesAreReadInOneFile(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "kong_messages.go" {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			function, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := function.X.(*ast.Ident); ok && from.Name == "strings" && function.Sel.Name != "Join" && slices.ContainsFunc(call.Args, isMessage) {
				t.Errorf("%s: strings.%s looks into a message", file, function.Sel.Name)
			}
			return true
		})
	}
}

// isMessage reports whether an expression is a message of Kong, by its name.
func isMessage(e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	}
	return slices.Contains([]string{"message", "Message", "Messages", "text"}, name)
}
