package gateway

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/translate/kong"
	"github.com/kube-sync/kube-sync/translate/tenancy"
)

// updateFields is a flag of the test and no generator: the fields are those of a Kong that runs, and each new one has to be
// judged.
var updateFields = flag.Bool("update", false, "write testdata/plugin-fields.txt from the schemas of the kong on PATH")

// schemaField is a field of a schema, as the Admin API returns it.
type schemaField struct {
	Type            string                   `json:"type"`
	Reference       string                   `json:"reference"`
	OneOf           []any                    `json:"one_of"`
	Fields          []map[string]schemaField `json:"fields"`
	ShorthandFields []map[string]schemaField `json:"shorthand_fields"`
	Elements        *schemaField             `json:"elements"`
	Values          *schemaField             `json:"values"`
	Referenceable   bool                     `json:"referenceable"`
	// Eq is null for a reference that is forbidden.
	Eq json.RawMessage `json:"eq"`
}

func askKong[T any](t *testing.T, admin *adminapi.Client, path string) (value T) {
	t.Helper()
	if err := json.Unmarshal(getKong(t, admin, path), &value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value
}

// named returns the fields of a record by name.
func (f schemaField) named() map[string]schemaField {
	all := map[string]schemaField{}
	for _, group := range [][]map[string]schemaField{f.Fields, f.ShorthandFields} {
		for _, field := range group {
			maps.Copy(all, field)
		}
	}
	return all
}

// texts calls a function with each field that accepts any string.
func (f schemaField) texts(path string, each func(path string, f schemaField)) {
	switch {
	case f.Type == "string" && len(f.OneOf) == 0:
		each(path, f)
	case f.Elements != nil:
		f.Elements.texts(path, each)
	case f.Values != nil:
		f.Values.texts(path, each)
	}
	for name, inner := range f.named() {
		inner.texts(strings.TrimPrefix(path+"."+name, "."), each)
	}
}

// TestBundledPlugins compares the tables of Kong's plugins with the Kong on PATH: which plugins
// there are, what they may refer to, and which fields accept any string. A new field has to be
// reviewed: does it give access to something of the gateway?
func TestBundledPlugins(t *testing.T) {
	admin := startKong(t)
	root := askKong[struct {
		Plugins struct {
			Available map[string]any `json:"available_on_server"`
		}
	}](t, admin, "/")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(root.Plugins.Available)), kong.BundledNames()); diff != "" {
		t.Error(diff)
	}
	var lines []string
	for _, name := range kong.BundledNames() {
		schema := askKong[schemaField](t, admin, "/schemas/plugins/"+name)
		fields := schema.named()
		forbidden := func(field string) bool { return string(fields[field].Eq) == "null" }
		got := kong.PluginSchema{NoConsumer: forbidden("consumer"), NoService: forbidden("service"), NoRoute: forbidden("route")}
		if elements := fields["protocols"].Elements; elements != nil {
			got.Requests = !slices.Contains(elements.OneOf, any("tcp"))
		}
		if want, _ := kong.Bundled(name); got != want {
			t.Errorf("%s: Kong has %+v, want %+v", name, got, want)
		}
		fields["config"].texts("", func(path string, f schemaField) {
			line := name + "." + path
			if f.Referenceable {
				line += " vault"
			}
			if limit := tenancy.Limit(name, path); limit != "" {
				line += " " + limit
			}
			lines = append(lines, line)
		})
	}
	slices.Sort(lines)
	const file = "testdata/plugin-fields.txt"
	found := []byte(strings.Join(slices.Compact(lines), "\n") + "\n")
	if *updateFields {
		if err := os.WriteFile(file, found, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	known, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(known), string(found)); diff != "" {
		t.Errorf("the fields differ; review each new one, then run go test ./plugin/gateway -run TestBundledPlugins -update:\n%s", diff)
	}
}

// TestReferenceableEntities checks that Kong follows references to vaults only in entities whose
// translation looks for them.
func TestReferenceableEntities(t *testing.T) {
	admin := startKong(t)
	var found []string
	for _, entity := range []string{"services", "routes", "consumers", "certificates", "ca_certificates", "snis", "upstreams", "targets",
		"plugins", "vaults", "keys", "key_sets", "filter_chains", "acls", "keyauth_credentials", "basicauth_credentials",
		"hmacauth_credentials", "jwt_secrets", "oauth2_credentials", "oauth2_tokens", "oauth2_authorization_codes", "acme_storage", "sessions"} {
		schema := askKong[schemaField](t, admin, "/schemas/"+entity)
		schema.texts("", func(path string, f schemaField) {
			if f.Referenceable {
				found = append(found, fmt.Sprint(entity, ".", path))
			}
		})
	}
	slices.Sort(found)
	want := []string{"certificates.cert", "certificates.cert_alt", "certificates.key", "certificates.key_alt", "keys.jwk", "keys.pem.private_key", "keys.pem.public_key"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}
