package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	file := write(t, "shop.yaml", manifests)
	for name, test := range map[string]struct {
		args []string
		code int
		out  string
	}{
		"a route":          {[]string{"http://a.example/x", file}, exitError, "Route       Ingress shop/web, spec.rules[0].http.paths[0] (" + file + ":14)"},
		"no endpoints":     {[]string{"http://a.example/x", "-f", file}, exitError, "Service shop/web, spec.selector (" + file + ":18): NoEndpoints"},
		"no route":         {[]string{"http://b.example/", "-f", file}, exitError, "Answer      404 Not Found, by kong: no route matches"},
		"another port":     {[]string{"tcp://b.example:9000", "-f", file}, exitError, "the connection is closed"},
		"as YAML":          {[]string{"http://a.example/", "-f", file, "-o", "yaml"}, exitError, "expression: (lower(http.host) == \"a.example\") && (http.path ^= \"/\")"},
		"no URL":           {[]string{"-f", file}, exitUsage, ""},
		"a bad URL":        {[]string{"ftp://a.example/", "-f", file}, exitUsage, ""},
		"a bad header":     {[]string{"http://a.example/", "-f", file, "--header", "a"}, exitUsage, ""},
		"a bad address":    {[]string{"http://a.example/", "-f", file, "--from", "here"}, exitUsage, ""},
		"a bad format":     {[]string{"http://a.example/", "-f", file, "-o", "xml"}, exitUsage, ""},
		"a stream to try":  {[]string{"tcp://a.example:1", "-f", file, "--try"}, exitUsage, ""},
		"no address":       {[]string{"http://a.example/", "-f", file, "--try"}, exitError, ""},
		"no manifests":     {[]string{"http://a.example/"}, exitUsage, ""},
		"an unknown file":  {[]string{"http://a.example/", "-f", file + ".none"}, exitUsage, ""},
		"headers of a TCP": {[]string{"tcp://a.example:1", "-f", file, "--header", "a: b"}, exitUsage, ""},
	} {
		got := call(t, "", append([]string{"explain"}, test.args...)...)
		if got.code != test.code || !strings.Contains(got.out, test.out) {
			t.Errorf("%s: exit %d, want %d with %q; out:\n%s\nerr:\n%s", name, got.code, test.code, test.out, got.out, got.err)
		}
		if test.code == exitUsage && got.err == "" {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestExplainJSON(t *testing.T) {
	got := call(t, manifests, "explain", "http://a.example/x", "-f", "-", "-o", "json")
	var answer struct {
		Route struct {
			Object struct{ Kind, Namespace, Name string }
		}
		Status    int
		Positions map[string]string
	}
	if err := json.Unmarshal([]byte(got.out), &answer); err != nil || answer.Status != 503 || answer.Route.Object.Name != "web" ||
		answer.Positions["Ingress shop/web spec.rules[0].http.paths[0]"] != "stdin:14" {
		t.Errorf("%+v, %v, exit %d:\n%s", answer, err, got.code, got.out)
	}
}

// TestTry sends requests to servers that answer as Kong does.
func TestTry(t *testing.T) {
	served := manifests + `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.0.0.1]}]
`
	var path, host string
	for name, test := range map[string]struct {
		url     string
		answer  int
		backend bool
		route   string
		code    int
		says    string
	}{
		"a backend":         {"http://a.example/x%2Fy?q=1", 200, true, "", exitOK, "200 by a backend, from "},
		"an error of one":   {"http://a.example/", 500, true, "", exitOK, "as predicted"},
		"no backend":        {"http://a.example/", 404, false, "", exitError, "NOT as predicted: a backend should answer"},
		"no route":          {"http://b.example/", 404, false, "", exitOK, "404 by the gateway"},
		"a route after all": {"http://b.example/", 200, true, "", exitError, "NOT as predicted: the gateway should answer 404 itself"},
		"another route":     {"http://a.example/", 200, true, "other", exitError, "NOT as predicted: the route is other"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, host = r.RequestURI, r.Host
			if test.backend {
				w.Header().Set("X-Kong-Upstream-Latency", "1")
			}
			if test.route != "" {
				w.Header().Set("Kong-Route-Name", test.route)
			}
			w.WriteHeader(test.answer)
		}))
		got := call(t, served, "explain", test.url, "-f", "-", "--try", "--address", server.Listener.Addr().String())
		server.Close()
		if got.code != test.code || !strings.Contains(got.out, test.says) {
			t.Errorf("%s: exit %d, want %d with %q; out:\n%s\nerr:\n%s", name, got.code, test.code, test.says, got.out, got.err)
		}
		if want := strings.TrimPrefix(test.url, "http://"); host+path != want {
			t.Errorf("%s: the request was for %s%s", name, host, path)
		}
	}
}
