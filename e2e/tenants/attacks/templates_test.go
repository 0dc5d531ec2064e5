package attacks

import (
	"net/http"
	"testing"
)

// templates are attacks by code in configurations.
func templates() []attack {
	return []attack{
		template("loops", `{"add": {"headers": ["x:$((function() while true do end end)())"]}}`),
		template("fills the memory", `{"add": {"headers": ["x:$(('x'):rep(586000000))"]}}`),
		template("loops over a path", `{"replace": {"uri": "/$((function() while true do end end)())"}}`),
		template("loops over a name", `{"rename": {"querystring": ["x:$((function() while true do end end)())"]}}`),
		template("takes a pattern that is slow", `{"append": {"headers": ["x:$((('a'):rep(40)):find(('.-'):rep(40) .. 'b'))"]}}`),
		pluginAttack("pre-function", "pre-function", `{"access": ["while true do end"]}`),
		pluginAttack("post-function", "post-function", `{"log": ["while true do end"]}`),
		pluginAttack("http-log with code", "http-log", `{"http_endpoint": "http://server.attacker.test/", "custom_fields_by_lua": {"x": "while true do end"}}`),
		pluginAttack("file-log with code", "file-log", `{"path": "/dev/stdout", "custom_fields_by_lua": {"x": "while true do end"}}`),
		{
			name: "a rewrite with a template",
			steps: []string{ingress(attacker, "rewritten", "rewritten.attacker.test", "/", "web",
				"rewrite=/$((function() while true do end end)())")},
			requests: func(t *testing.T, w *world) {
				if a, err := w.do(http.MethodGet, "rewritten.attacker.test", "/", false, nil); err != nil {
					t.Errorf("the route does not answer: %d, %v", a.status, err)
				}
			},
		}, {
			name: "a template that looks a header up",
			steps: []string{plugin(attacker, "looks", "request-transformer", `{"add": {"headers": ["x-looked-up:$(headers.x)"]}}`) +
				ingress(attacker, "looks", "looks.attacker.test", "/", "web", "plugins=looks")},
			requests: func(t *testing.T, w *world) {
				a, err := w.do(http.MethodGet, "looks.attacker.test", "/", false, map[string]string{"X": "value"})
				if err != nil || a.seen.Headers.Get("X-Looked-Up") != "value" {
					t.Errorf("what is permitted does not work: %d %v, %v", a.status, a.seen.Headers, err)
				}
			},
		},
	}
}

func template(does, config string) attack {
	a := pluginAttack("a template that "+does, "request-transformer", config)
	a.requests = func(_ *testing.T, w *world) {
		for range 4 { // so that both workers would hang
			_, _ = w.do(http.MethodGet, "wrong.attacker.test", "/?x=1", false, nil)
		}
	}
	return a
}
