package attacks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// storms are attacks on other things that all namespaces share: the log, and kube-sync's time.
func storms() []attack {
	const forged = "\nlevel=ERROR msg=\"forged by a tenant\" object=\"Ingress shop/web\"\n2026/01/01 00:00:00 [error] forged by a tenant"
	return []attack{
		{
			name:  "5 000 objects that are broken",
			steps: []string{broken(5000)},
			told:  []string{"KongConsumer attacker/broken-0", "KongConsumer attacker/broken-4999"},
		}, {
			name:  "1 000 plugins that Kong refuses",
			steps: []string{refused(1000)},
			told:  []string{"Ingress attacker/refused-0", "Ingress attacker/refused-999"},
		}, {
			name: "line breaks in values",
			steps: []string{plugin(attacker, "wrong", "cors", `{"origins": `+quoted(forged)+`}`) +
				plugin(attacker, "unknown", "cors", `{`+quoted(forged)+`: 5}`) +
				ingress(attacker, "wrong", "wrong.attacker.test", "/", "web", "plugins=wrong") +
				ingress(attacker, "unknown", "unknown.attacker.test", "/", "web", "plugins=unknown") +
				ingress(attacker, "lines", "lines.attacker.test", "/", "web", "plugins=x"+forged, "methods=x"+forged, "protocols=x"+forged, "rewrite=/"+forged, "tags=x"+forged) +
				consumer(attacker, "lines", "x"+forged, []string{"missing"})},
			told: []string{"Ingress attacker/wrong", "Ingress attacker/unknown", "Ingress attacker/lines"},
			requests: func(t *testing.T, w *world) {
				for _, path := range []string{"/%0a2026/01/01%20forged", "/%0d%0aforged", "/?x=%0aforged"} {
					_, _ = w.do(http.MethodGet, "lines.attacker.test", path, false, map[string]string{"X": "forged"})
				}
				for line := range strings.Lines(string(w.log(0)) + w.accessLog()) {
					if strings.HasPrefix(line, "level=") || strings.HasPrefix(line, "forged") || strings.Contains(line, "[error] forged") && strings.HasPrefix(line, "20") {
						t.Errorf("a line of the log is a value's: %.200s", line)
					}
				}
			},
		}, {
			name: "secrets are nowhere but in Kong",
			steps: []string{keyed(attacker, "mallory", "canary-key-of-mallory") +
				consumer(attacker, "double", "double", []string{"double"}) + credential(attacker, "double", "key-auth", "key="+aliceKey)},
			told: []string{"KongConsumer attacker/double"},
			requests: func(t *testing.T, w *world) {
				for what, text := range map[string]string{"the log": string(w.log(0)), "the access log": w.accessLog(), "the metrics": w.metrics(t), "the diagnostics": w.conditions()} {
					for _, canary := range []string{aliceKey, bobKey, "canary-key-of-mallory", canaryValue} {
						if strings.Contains(text, canary) {
							t.Errorf("%s has the secret %s", what, canary)
						}
					}
				}
			},
		},
	}
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

// broken returns invalid objects, for which Kong gets nothing.
func broken(n int) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(object("configuration.konghq.com/v1", "KongConsumer", attacker, fmt.Sprintf("broken-%d", i), "kubernetes.io/ingress.class=kong"))
	}
	return all.String()
}

// refused returns plugins that kube-sync accepts and Kong rejects, each on an Ingress.
func refused(n int) string {
	var all strings.Builder
	for i := range n {
		name := fmt.Sprintf("refused-%d", i)
		all.WriteString(plugin(attacker, name, "cors", fmt.Sprintf(`{"origins": %d}`, i)) + ingress(attacker, name, name+".attacker.test", "/", "web", "plugins="+name))
	}
	return all.String()
}

// metrics returns the metrics of kube-sync and of Kong.
func (w *world) metrics(t *testing.T) string {
	t.Helper()
	all := ""
	for _, address := range []string{w.Metrics, podIP + ":" + statusPort} {
		text, err := read("http://" + address + "/metrics")
		if err != nil {
			t.Error(err)
		}
		all += text
	}
	return all
}
