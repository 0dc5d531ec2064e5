package attacks

import (
	"fmt"
	"strings"
)

// crashes are attacks with values over which Kong's own code fails: it answers 500, or a worker ends.
func crashes() []attack {
	all := []attack{
		pluginAttack("a plugin's field of a wrong type", "rate-limiting", `{"minute": 5, "redis_host": 5}`),
		pluginAttack("a plugin's record of a wrong type", "rate-limiting", `{"minute": 5, "redis": "x"}`),
		pluginAttack("a plugin's map of a wrong type", "http-log", `{"http_endpoint": "http://server.attacker.test:8080", "headers": [5]}`),
		pluginAttack("a plugin's array of a wrong type", "cors", `{"origins": {"a": {"b": []}}}`),
		pluginAttack("a plugin's list of objects for strings", "request-transformer", `{"add": {"headers": [{"x": 1}]}}`),
		pluginAttack("a plugin's number for an object", "session", `{"cookie_name": {}, "storage": 7}`),
		pluginAttack("a plugin's configuration that is deep", "request-termination", `{"message": `+strings.Repeat("[", 900)+strings.Repeat("]", 900)+`}`),
		{
			name: "a plugin's string that is no text",
			steps: []string{object("configuration.konghq.com/v1", "KongPlugin", attacker, "half", "kubernetes.io/ingress.class=kong") +
				"plugin: request-termination\nconfigFrom: {secretKeyRef: {name: half, key: config}}\n" +
				secret(attacker, "half", []string{`config={"message": "\ud800"}`}) + ingress(attacker, "half", "half.attacker.test", "/", "web", "plugins=half")},
		},
		pluginAttack("a plugin's string with a zero", "request-termination", `{"message": "a\u0000b", "content_type": "\u0000"}`),
		{
			name: "a field of a wrong type in plugins that nothing uses, on a consumer",
			steps: []string{plugin(attacker, "wrong", "rate-limiting", `{"minute": 5, "redis_host": 5}`) +
				keyed(attacker, "mallory", malloryKey, "plugins=wrong")},
			told: []string{"KongConsumer attacker/mallory"},
		}, {
			name: "a plugin that is not for consumers, on a consumer",
			steps: []string{plugin(attacker, "wrong", "key-auth", `{}`) + plugin(attacker, "limit", "rate-limiting", `{"minute": 100, "policy": "local"}`) +
				keyed(attacker, "mallory", malloryKey, "plugins=wrong,limit")},
			told: []string{"KongConsumer attacker/mallory"},
		}, {
			name: "credentials that are no text",
			steps: []string{consumer(attacker, "mallory", "mallory", []string{"bytes"}) +
				object("v1", "Secret", attacker, "bytes", ":konghq.com/credential=key-auth") + "data: {key: //79/A==}\n"},
			told: []string{"KongConsumer attacker/mallory"},
		}, {
			name: "a plugin's configuration in a Secret that is no text",
			steps: []string{object("configuration.konghq.com/v1", "KongPlugin", attacker, "wrong", "kubernetes.io/ingress.class=kong") +
				"plugin: request-termination\nconfigFrom: {secretKeyRef: {name: bytes, key: config}}\n" +
				object("v1", "Secret", attacker, "bytes") + "data: {config: eyJtZXNzYWdlIjogIv/+/P0ifQ==}\n" +
				ingress(attacker, "wrong", "wrong.attacker.test", "/", "web", "plugins=wrong")},
			told: []string{"Ingress attacker/wrong"},
		}, {
			name:  "a custom entity of a wrong type",
			steps: []string{customEntity("wrong", "key_sets", `{"name": 5, "tags": {"a": 1}}`, "")},
			told:  []string{"KongCustomEntity attacker/wrong"},
		},
	}
	return append(all, crashesOfSize()...)
}

// crashesOfSize are attacks with excessively large values.
func crashesOfSize() []attack {
	many := func(n int, value string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(value, i))
		}
		return strings.Join(all, ",")
	}
	var matches strings.Builder
	for i := range 128 {
		matches.WriteString("    - path: {type: PathPrefix, value: /}\n      headers:\n")
		for j := range 16 {
			fmt.Fprintf(&matches, "      - {name: x-%d-%d, value: %q}\n", i, j, strings.Repeat("x", 200))
		}
	}
	return []attack{
		pluginAttack("a string that a pattern of Kong takes for ever over", "acme",
			`{"account_email": "`+strings.Repeat("a", 300_000)+`", "tos_accepted": true}`),
		pluginAttack("a string of half a megabyte", "request-termination", `{"message": "`+strings.Repeat("x", 500_000)+`"}`),
		annotated("an annotation with 50 000 values of a header", "headers.x="+many(50_000, "v%d")),
		annotated("an annotation with 5 000 values of a header", "headers.x="+many(5_000, "v%d")),
		annotated("an annotation with 20 000 hosts", "host-aliases="+many(20_000, "h%d.attacker.test")),
		annotated("an annotation with 20 000 server names", "snis="+many(20_000, "h%d.attacker.test")),
		annotated("an annotation with 20 000 methods", "methods="+methods(20_000)),
		{
			name: "an HTTPRoute with 2 048 headers to match",
			steps: []string{httpRoute(attacker, "large", "large.attacker.test",
				"\n  - matches:\n"+matches.String()+"    backendRefs: [{name: web, port: 80}]\n")},
		},
	}
}

// methods returns different methods of letters.
func methods(n int) string {
	var all []string
	for i := range n {
		all = append(all, string([]byte{'A' + byte(i%26), 'A' + byte(i/26%26), 'A' + byte(i/26/26%26), 'A' + byte(i/26/26/26)}))
	}
	return strings.Join(all, ",")
}

// pluginAttack is an attack by a KongPlugin with a configuration on an Ingress.
func pluginAttack(name, kind, config string) attack {
	return attack{
		name:  name,
		steps: []string{plugin(attacker, "wrong", kind, config) + ingress(attacker, "wrong", "wrong.attacker.test", "/", "web", "plugins=wrong")},
		told:  []string{"Ingress attacker/wrong"},
	}
}

// annotated is an attack by an Ingress with an annotation.
func annotated(name, annotation string) attack {
	return attack{
		name:  name,
		steps: []string{ingress(attacker, "wrong", "wrong.attacker.test", "/", "web", annotation)},
		told:  []string{"Ingress attacker/wrong"},
	}
}
