package limit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

var defaults = Limits{}.InEffect()

func TestConfig(t *testing.T) {
	long := strings.Repeat("a", defaults.PluginString)
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	for config, want := range map[string]string{
		``: "", `{}`: "", `{"a":{"b":["` + long + `"]}}`: "", deep(Depth - 1): "",
		`{"a":{"b":["c","` + long + `a"]}}`:                         "the field a.b[1] has 65537 bytes, and the setting LIMIT_PLUGIN_STRING_BYTES allows 65536",
		`{"a":1` + strings.Repeat("0", defaults.PluginString) + `}`: "the field a has 65537 bytes",
		`{"` + long + `a":1}`:                                       "the name of a field has 65537 bytes",
		deep(Depth):                                                 "deeper than 64 levels",
		deep(9_000):                                                 "deeper than 64 levels",
		`{"a":` + strings.Repeat("[", 100_000):                      "not JSON",
		`{"a":["` + strings.Repeat(long+`","`, 8) + `"]}`:           "the configuration has 524",
		`{`: "not JSON",
	} {
		got := ""
		if err := defaults.Config("key-auth", []byte(config)); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%.40s (%d bytes): %q, want %q", config, len(config), got, want)
		}
	}
}

func TestSlowFields(t *testing.T) {
	long := strings.Repeat("a", 1025)
	for plugin, config := range map[string]string{
		"acme": `{"account_email":"` + long + `"}`, "cors": `{"origins":["*","` + long + `"]}`, "bot-detection": `{"deny":["` + long + `"]}`,
	} {
		err := defaults.Config(plugin, []byte(config))
		if err == nil || !strings.Contains(err.Error(), "has 1025 bytes, but Kong checks at most 1024") {
			t.Errorf("%s: %v", plugin, err)
		}
		if err := defaults.Config("other", []byte(config)); err != nil {
			t.Errorf("the same for another plugin: %v", err)
		}
	}
}

func TestUnlimited(t *testing.T) {
	l := Limits{PluginString: Unlimited, PluginConfig: Unlimited}.InEffect()
	config := `{"a":"` + strings.Repeat("a", 4<<20) + `"}`
	if err := l.Config("acl", []byte(config)); err != nil {
		t.Error(err)
	}
	if _, err := l.YAMLToJSON([]byte(config)); err != nil {
		t.Error(err)
	}
}

// laughs returns a document whose aliases expand to 9 to the power of n strings.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

func TestYAMLToJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"minute":5}`: `{"minute":5}`, "minute: 5": `{"minute":5}`, "a: &x {b: 1}\nc: *x\n": `{"a":{"b":1},"c":{"b":1}}`,
		"base: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n": `{"base":{"b":1},"c":{"b":1,"d":2}}`, "": "null",
	} {
		if got, err := defaults.YAMLToJSON([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		laughs(9):    "with its aliases expanded has",
		laughs(60):   "with its aliases expanded has",
		"a: &x [*x]": "part of the value that it refers to",
		"a: [":       "neither JSON nor YAML",
		"a: *x":      "neither JSON nor YAML",
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000): "deeper than 64 levels",
		strings.Repeat("a", 600_000):                          "the configuration has 600000 bytes, and the setting LIMIT_PLUGIN_CONFIG_BYTES allows 524288",
	} {
		if got, err := defaults.YAMLToJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %.40s, %v; want …%s…", text, got, err, want)
		}
	}
}

// FuzzYAMLToJSON holds that the result is JSON and not much larger than the bound, however often
// a document uses its aliases.
func FuzzYAMLToJSON(f *testing.F) {
	for _, text := range []string{laughs(3), laughs(9), "a: &x {b: *x}", "a: &x [1]\nb: [*x,*x]\n<<: *x", "? [a]\n: b", "&a a: &b b"} {
		f.Add(text)
	}
	small := Limits{PluginConfig: 2000}.InEffect()
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := small.YAMLToJSON([]byte(text))
		if err != nil {
			return
		}
		// A byte of a string takes six in JSON at most, a number or a word 24.
		if !json.Valid(encoded) || len(encoded) > 30*small.PluginConfig {
			t.Errorf("%q results in %d bytes: %.200s", text, len(encoded), encoded)
		}
	})
}
