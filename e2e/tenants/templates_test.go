package tenants

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Templates that would hang workers or fill their memory do not reach Kong. Their routes answer 503, and the other
// namespace is not affected.
func TestTemplatesRunNoCode(t *testing.T) {
	s := newScene(t, translate.Options{})
	s.apply(s.web("shop", "web", "shop.example"))
	s.want(request{host: "shop.example"}, http.StatusOK)
	for name, config := range map[string]string{
		"hang": `{add: {headers: ["x:$((function() while true do end end)())"]}}`,
		"fill": `{add: {headers: ["x:$(('x'):rep(586000000))"]}}`,
		"uri":  `{replace: {uri: "/$(('x'):rep(586000000))"}}`,
		"body": `{rename: {querystring: ["x:$(while)"]}}`,
	} {
		host := name + ".attacker.example"
		if refused := s.apply(s.web("attacker", name, host, "konghq.com/plugins: "+name) + plugin("attacker", name, "request-transformer", config)); len(refused) > 0 {
			t.Errorf("%s: Kong was asked: %v", name, refused)
		}
		s.want(request{host: host}, http.StatusServiceUnavailable)
		s.want(request{host: "shop.example"}, http.StatusOK)
		if said := s.verdicts(unit.Key{Kind: unit.KongPlugin, Namespace: "attacker", Name: name}); !strings.Contains(said, "ALLOW_LUA_PLUGINS") {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// Kong accepts each permitted form of a look-up, and evaluates it correctly.
func TestLookups(t *testing.T) {
	s := newScene(t, translate.Options{})
	forms := map[string]string{
		"$(headers.x)":                            "of-x",
		`$(headers["x-a"])`:                       "of-x-a",
		"$(headers['x-a'])":                       "of-x-a",
		"$( headers.x )":                          "of-x",
		"$(query_params.q)":                       "of-q",
		`$(query_params["q"])`:                    "of-q",
		`$(headers.nowhere or "none")`:            "none",
		"$(headers.nowhere or query_params.q)":    "of-q",
		"$(headers.nowhere or headers.x or 'no')": "of-x",
		"$(shared.nowhere)-":                      "-",
		"a $(headers.x) b $(headers.x) $5 (c)":    "a of-x b of-x $5 (c)",
		"$ (headers.x) $":                         "$ (headers.x) $",
		`$(uri_captures["nowhere"] or "no")`:      "no",
	}
	var adds, order []string
	for form := range forms {
		adds = append(adds, fmt.Sprintf("%q", fmt.Sprintf("y-%d:%s", len(order), form)))
		order = append(order, form)
	}
	config := "{add: {headers: [" + strings.Join(adds, ", ") + "]}}"
	if refused := s.apply(s.web("shop", "web", "shop.example", "konghq.com/plugins: lookups") + plugin("shop", "lookups", "request-transformer", config)); len(refused) > 0 {
		t.Fatal(refused)
	}
	got := s.want(request{host: "shop.example", path: "/?q=of-q", header: map[string]string{"x": "of-x", "x-a": "of-x-a"}}, http.StatusOK)
	for i, form := range order {
		if value := got.told.Header.Get(fmt.Sprint("y-", i)); value != forms[form] {
			t.Errorf("%s is %q, want %q", form, value, forms[form])
		}
	}

	config = `{replace: {uri: "/$(uri_captures[1])/$(uri_captures.second)/$(uri_captures[\"second\"])"}}`
	captures := strings.Replace(s.web("shop", "captures", "captures.example", "konghq.com/plugins: captures"), "path: /,", `path: '/~/(\w+)/(?<second>\w+)',`, 1)
	captures = strings.Replace(captures, "pathType: Prefix", "pathType: ImplementationSpecific", 1)
	if refused := s.apply(captures + plugin("shop", "captures", "request-transformer", config)); len(refused) > 0 {
		t.Fatal(refused)
	}
	if got := s.want(request{host: "captures.example", path: "/one/two"}, http.StatusOK).told.Path; got != "/one/two/two" {
		t.Errorf("the path is %s", got)
	}
}
