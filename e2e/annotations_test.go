package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// echoed is the request that a backend received.
type echoed struct {
	Pod, Protocol, Method, Host, Path, Query string
	Headers                                  http.Header
	TLS                                      struct {
		ServerName string
		ClientCNs  []string
	}
}

// ask sends a request and returns the request that the backend received.
func ask(address, method, host, path string, headers ...string) (int, echoed, error) {
	request, err := http.NewRequest(method, "http://"+address+path, nil)
	if err != nil {
		return 0, echoed{}, err
	}
	request.Host = host
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, echoed{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, echoed{}, err
	}
	var e echoed
	_ = json.Unmarshal(body, &e)
	return response.StatusCode, e, nil
}

// wantEcho waits until a request is answered and the check accepts the request that the backend received.
func wantEcho(t *testing.T, address, method, host, path string, headers []string, check func(int, echoed) error) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range connections {
			status, e, err := ask(address, method, host, path, headers...)
			if err != nil {
				return err
			}
			if err := check(status, e); err != nil {
				return fmt.Errorf("%s %s%s %v: %w", method, host, path, headers, err)
			}
		}
		return nil
	})
}

// answers returns a check of the status only.
func answers(want int) func(int, echoed) error {
	return func(status int, _ echoed) error {
		if status != want {
			return fmt.Errorf("answers %d, want %d", status, want)
		}
		return nil
	}
}

// sees returns a check of the path that the backend received.
func sees(path string) func(int, echoed) error {
	return func(status int, e echoed) error {
		if status != http.StatusOK || e.Path != path {
			return fmt.Errorf("answers %d, the backend sees %q, want %q", status, e.Path, path)
		}
		return nil
	}
}

// annotatedIngress returns an Ingress for a path with annotations, one a line.
func annotatedIngress(name, host, path, annotations string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: %s
  annotations:
%s
spec:
  ingressClassName: kong
  rules:
  - host: %s
    http:
      paths:
      - {path: '%s', pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
---`, name, indent(annotations, 4), host, path)
}

func indent(text string, spaces int) string {
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+pad)
}

// Annotations of an Ingress change what it matches: methods, headers and further hosts.
func TestAnnotationsNarrowTheMatch(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", "base."+host, 1)+"---"+
		annotatedIngress("get", host, "/", "konghq.com/methods: get,HEAD")+
		annotatedIngress("canary", host, "/", "konghq.com/headers.X-Canary: 'always,~*^v[0-9]+$'\nkonghq.com/tags: canary\nkonghq.com/strip-path: 'true'")+
		annotatedIngress("alias", "one."+host, "/", "konghq.com/host-aliases: 'two."+host+", *.three."+host+", four-"+ns+".*'")+
		annotatedIngress("secure", "secure."+host, "/", "ingress.kubernetes.io/force-ssl-redirect: 'true'")+
		annotatedIngress("sni", "sni."+host, "/", "konghq.com/snis: other."+host))
	none := answers(http.StatusNotFound)
	wantEcho(t, gw.HTTP, "GET", host, "/", nil, answers(http.StatusOK))
	wantEcho(t, gw.HTTP, "POST", host, "/", nil, none)
	for value, check := range map[string]func(int, echoed) error{
		"always": answers(http.StatusOK), "v12": answers(http.StatusOK), "vx": none, "alwayss": none, "nalways": none,
	} {
		wantEcho(t, gw.HTTP, "POST", host, "/", []string{"X-Canary", value}, check)
	}
	for _, alias := range []string{"one." + host, "two." + host, "x.three." + host, "four-" + ns + ".anything.test"} {
		wantEcho(t, gw.HTTP, "GET", alias, "/", nil, answers(http.StatusOK))
	}
	wantEcho(t, gw.HTTP, "GET", "x.y.three."+host, "/", nil, none)
	// Server names restrict TLS requests only. Package manifests tests them.
	wantEcho(t, gw.HTTP, "GET", "sni."+host, "/", nil, answers(http.StatusOK))
	eventually.Nil(t, time.Minute, func() error {
		request, _ := http.NewRequest("GET", "http://"+gw.HTTP+"/x", nil)
		request.Host = "secure." + host
		response, err := client.Transport.RoundTrip(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if location := response.Header.Get("Location"); response.StatusCode != 302 || !strings.HasPrefix(location, "https://secure."+host) {
			return fmt.Errorf("answers %d to %q", response.StatusCode, location)
		}
		return nil
	})
}

// A rewrite changes the path that the backend receives. Text that Kong would run as Lua is used literally.
func TestRewrite(t *testing.T) {
	cp := cluster(t)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+
		annotatedIngress("captures", "a."+host, `/~/old/(\w+)/(\w+)`, `konghq.com/rewrite: '/new/$2/\$1/$1'`)+
		annotatedIngress("plain", "b."+host, "/old", "konghq.com/rewrite: /new")+
		annotatedIngress("lua", "c."+host, `/~/(\w+)`, `konghq.com/rewrite: '/x$(headers.host)$$(1+1)\$(2)$1(3)$("$")'`)+
		annotatedIngress("error", "d."+host, `/~/(\w+)`, `konghq.com/rewrite: '/x$(error("boom"))$((('`)+
		annotatedIngress("newline", "e."+host, `/~/(\w+)`, `konghq.com/rewrite: "/x\n\u00ff print(1)\n$1"`))
	wantEcho(t, gw.HTTP, "GET", "a."+host, "/old/one/two?q=1", nil, sees("/new/two/$1/one"))
	wantEcho(t, gw.HTTP, "GET", "b."+host, "/old/path", nil, sees("/new"))
	wantEcho(t, gw.HTTP, "GET", "c."+host, "/cap", nil, sees(`/x$(headers.host)$$(1+1)$(2)cap(3)$(%22$%22)`))
	wantEcho(t, gw.HTTP, "GET", "d."+host, "/cap", nil, sees(`/x$(error(%22boom%22))$(((`))
	// What cannot be a path is not taken, and the rest of the Ingress counts.
	wantEcho(t, gw.HTTP, "GET", "e."+host, "/cap", nil, sees("/cap"))
	wantEvent(t, cp, ns, "newline", "AnnotationInvalid")
	// What a client sends is not run either.
	wantEcho(t, gw.HTTP, "GET", "a."+host, "/old/$(1+1)/two", nil, answers(http.StatusNotFound))
}
