package tenancy

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

func loopback(a netip.Addr) bool { return a.IsLoopback() || a.IsLinkLocalUnicast() }

func tree(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// TestPermissions tries each permission with a forbidden value, with one that the operator
// permits, and with the values permitted to all.
func TestPermissions(t *testing.T) {
	for _, p := range permissions {
		if p.plugin == "acme" {
			continue // no KongPlugin may use it
		}
		o := Options{Isolated: p.isolated}
		base := ""
		if p.when.field != "" {
			value, _ := json.Marshal(p.when.value)
			base = nested(p.when.field, string(value))
		}
		wrong, permitted := nested(p.field, `"x"`), FieldValue{p.plugin, p.field, "x"}
		if p.needed {
			wrong, permitted = "{}", FieldValue{p.plugin, p.field, ""}
		}
		configuration := merge(tree(t, wrong), tree(t, "{}"))
		if base != "" {
			configuration = merge(configuration, tree(t, base))
		}
		for _, other := range permissions { // satisfy the other permissions
			if other.plugin == p.plugin && other.field != p.field && other.needed {
				configuration = merge(configuration, tree(t, nested(other.field, `"x"`)))
			}
		}
		err := o.CheckPlugin(p.plugin, configuration)
		if err == nil || !strings.Contains(err.Error(), p.field) || !strings.Contains(err.Error(), p.name()+"=") {
			t.Errorf("%s: error %v does not name the field and what permits it", p.name(), err)
		}
		o.Fields = []FieldValue{permitted}
		if err := o.CheckPlugin(p.plugin, configuration); err != nil {
			t.Errorf("%s: %v, although the operator permits it", p.name(), err)
		}
		for _, value := range p.values {
			if err := (Options{Isolated: p.isolated}).CheckPlugin(p.plugin, tree(t, nested(p.field, `"`+value+`"`))); err != nil {
				t.Errorf("%s=%s: %v, although every namespace may have it", p.name(), value, err)
			}
		}
	}
}

// nested returns a JSON object with a value at a dotted path.
func nested(field, value string) string {
	names := strings.Split(field, ".")
	return `{"` + strings.Join(names, `":{"`) + `":` + value + strings.Repeat("}", len(names))
}

func merge(a, b any) any {
	left, ok := a.(map[string]any)
	right, both := b.(map[string]any)
	if !ok || !both {
		return b
	}
	for name, value := range right {
		left[name] = merge(left[name], value)
	}
	return left
}

// TestHosts tries each field that names a host with denied addresses.
func TestHosts(t *testing.T) {
	for _, h := range hosts {
		if h.plugin == "acme" {
			continue
		}
		for _, bad := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "169.254.169.254", "localhost", "a.LOCALHOST.", "ip6-localhost", "metadata.google.internal", "unix:/s"} {
			value := bad
			if h.url {
				if strings.Contains(bad, ":") && !strings.HasPrefix(bad, "unix") {
					bad = "[" + bad + "]"
				}
				value = "http://" + bad + ":80/x"
				if strings.HasPrefix(bad, "unix") {
					value = bad
				}
			}
			configuration := merge(complete(t, h.plugin), tree(t, nested(h.field, `"`+value+`"`)))
			if err := (Options{Denied: loopback}).CheckPlugin(h.plugin, configuration); err == nil || !strings.Contains(err.Error(), h.field) && !isLabelled(h) {
				t.Errorf("%s.%s: %s: error %v", h.plugin, h.field, value, err)
			}
			if isLabelled(h) {
				continue
			}
			if err := (Options{Fields: all(h)}).CheckPlugin(h.plugin, configuration); err != nil {
				t.Errorf("%s.%s: %s: %v, although no address is denied", h.plugin, h.field, value, err)
			}
		}
		good := "svc.example"
		if h.url {
			good = "https://svc.example/x"
		}
		configuration := merge(complete(t, h.plugin), tree(t, nested(h.field, `"`+good+`"`)))
		if err := (Options{Denied: loopback, Fields: all(h)}).CheckPlugin(h.plugin, configuration); err != nil {
			t.Errorf("%s.%s: %v", h.plugin, h.field, err)
		}
	}
}

// complete returns a configuration with the fields that a plugin's permissions require.
func complete(t *testing.T, plugin string) any {
	t.Helper()
	configuration := tree(t, "{}")
	for _, p := range permissions {
		if p.plugin == plugin && p.needed {
			configuration = merge(configuration, tree(t, nested(p.field, `"x"`)))
		}
	}
	return configuration
}

func isLabelled(h host) bool {
	for _, l := range labels {
		if l.plugin == h.plugin && l.field == h.field {
			return true
		}
	}
	return false
}

func all(h host) []FieldValue { return []FieldValue{{h.plugin, h.field, "*"}} }

// TestHarmless holds that the plugins for isolated gateways connect to no host.
func TestHarmless(t *testing.T) {
	for _, plugin := range harmless {
		for _, h := range hosts {
			limited := false
			for _, p := range permissions {
				limited = limited || p.plugin == plugin && p.field == "policy" && p.isolated
			}
			if h.plugin == plugin && !limited {
				t.Errorf("%s connects to %s and is for isolated gateways", plugin, h.field)
			}
		}
		if err := (Options{Isolated: true}).CheckPlugin(plugin, tree(t, "{}")); err != nil {
			t.Errorf("%s: %v", plugin, err)
		}
	}
}

func TestFieldValue(t *testing.T) {
	for text, want := range map[string]FieldValue{
		"file-log.path=/var/log/":              {"file-log", "path", "/var/log/"},
		"acme.storage_config.shm.shm_name=a=b": {"acme", "storage_config.shm.shm_name", "a=b"},
		"aws-lambda.aws_key=":                  {"aws-lambda", "aws_key", ""},
	} {
		if got, err := ParseFieldValue(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "file-log", "file-log=x", "file-log.path", "key-auth.key_names=x", "file-log.paths=/x"} {
		if got, err := ParseFieldValue(text); err == nil {
			t.Errorf("%q: %+v, and no error", text, got)
		}
	}
	for value, want := range map[string]bool{"/a/b": true, "/a/b/c": true, "/a/": false, "/a/../etc/passwd": false, "/a//b": false, "/ab": false, "a/b": false} {
		if got := (FieldValue{Value: "/a/"}).covers(value); got != want {
			t.Errorf("/a/ covers %s: %t", value, got)
		}
	}
}
