package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A route whose plugin is missing, or rejected by Kong, answers 503 with the reason, and is never served
// without the plugin. Once the plugin exists, the route is served.
func TestPluginsFailClosed(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+withPlugins("web", host, "web", "auth"))
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusServiceUnavailable)
	wantEvent(t, cp, ns, "web", "PluginNotFound")

	cp.MustApply(t, ns, kongPlugin("auth", "key-auth", "{}"))
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusUnauthorized)
	wantCondition(t, cp, kongPlugins, ns, "auth", "Programmed", "True")

	open := watchFor(t, gw.HTTP, request{host: host}, http.StatusOK)
	cp.MustApply(t, ns, kongPlugin("auth", "key-auth", "{no_such_field: 1}"))
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusServiceUnavailable)
	wantEvent(t, cp, ns, "web", "KongConfigurationApplyFailed")
	wantEvent(t, cp, ns, "auth", "KongConfigurationApplyFailed")
	wantCondition(t, cp, kongPlugins, ns, "auth", "Programmed", "False")

	cp.MustApply(t, ns, kongPlugin("auth", "key-auth", "{key_names: [x-key]}"))
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusUnauthorized)
	if err := cp.Delete(t.Context(), ns, kongPlugin("auth", "key-auth", "{}")); err != nil {
		t.Fatal(err)
	}
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusServiceUnavailable)
	open.stop(t)
}

// guard sends requests and fails the test if an answer is forbidden.
type guard struct {
	cancel context.CancelFunc
	done   chan struct{}
	sent   int
	seen   []string
}

// watchFor fails the test if a request is answered with a status.
func watchFor(t *testing.T, address string, r request, never int) *guard {
	return watchThat(t, address, r, func(status int, err error) bool { return err == nil && status == never })
}

// watchOnly fails the test unless all requests are answered with one status.
func watchOnly(t *testing.T, address string, r request, always int) *guard {
	return watchThat(t, address, r, func(status int, err error) bool { return err != nil || status != always })
}

func watchThat(t *testing.T, address string, r request, wrong func(status int, err error) bool) *guard {
	ctx, cancel := context.WithCancel(t.Context())
	g := &guard{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		for ctx.Err() == nil {
			response, body, err := r.send(address)
			g.sent++
			switch {
			case err != nil && wrong(0, err):
				g.seen = append(g.seen, err.Error())
			case err == nil && wrong(response.StatusCode, nil):
				g.seen = append(g.seen, response.Status+": "+body)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-g.done })
	return g
}

func (g *guard) stop(t *testing.T) {
	t.Helper()
	g.cancel()
	<-g.done
	t.Logf("%d requests, %d of them with a forbidden answer", g.sent, len(g.seen))
	if len(g.seen) > 0 {
		t.Errorf("%d of %d requests were answered as none may be: %s", len(g.seen), g.sent, g.seen[0])
	}
}

// A plugin's configuration in its Secret is rotated under load. No request finds the route open, and none
// fails that both configurations permit.
func TestPluginFromSecretRotates(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	secret := func(header string) string {
		return fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: config}\nstringData: {auth: 'key_names: [%s]', name: '\"%s\"'}\n", header, header)
	}
	cp.MustApply(t, ns, app("web", host, 1)+"---"+withPlugins("web", host, "web", "auth")+secret("x-one")+`---
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: auth}
plugin: key-auth
configFrom: {secretKeyRef: {name: config, key: auth}}
`+consumer("ann", "", "ann-key")+credential("ann-key", "key-auth", "key", "k-ann"))
	one := request{host: host, header: map[string]string{"x-one": "k-ann"}}
	two := request{host: host, header: map[string]string{"x-two": "k-ann"}}
	wantAnswers(t, gw.HTTP, one, http.StatusOK)
	open := watchFor(t, gw.HTTP, request{host: host}, http.StatusOK)
	served := watchOnly(t, gw.HTTP, request{host: host, header: map[string]string{"x-one": "k-ann", "x-two": "k-ann"}}, http.StatusOK)
	for range 3 {
		cp.MustApply(t, ns, secret("x-two"))
		wantAnswers(t, gw.HTTP, two, http.StatusOK)
		wantAnswers(t, gw.HTTP, one, http.StatusUnauthorized)
		cp.MustApply(t, ns, secret("x-one"))
		wantAnswers(t, gw.HTTP, one, http.StatusOK)
	}
	open.stop(t)
	served.stop(t)
}

// Plugins of a Service are for all routes to it, and close all of them if they are unavailable.
func TestPluginsOnService(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, app("web", host, 1)+"---"+ingress("also", "also."+host, "/", "web"))
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusOK)
	both := func(status int) {
		t.Helper()
		wantAnswers(t, gw.HTTP, request{host: host}, status)
		wantAnswers(t, gw.HTTP, request{host: "also." + host}, status)
	}
	service := func(plugins string) {
		t.Helper()
		cp.MustApply(t, ns, fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {konghq.com/plugins: %q}}\n"+
			"spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}\n", plugins))
	}
	service("auth")
	both(http.StatusServiceUnavailable)
	cp.MustApply(t, ns, kongPlugin("auth", "basic-auth", "{hide_credentials: true}"))
	both(http.StatusUnauthorized)
	cp.MustApply(t, ns, kongPlugin("auth", "basic-auth", "{nope: 1}"))
	both(http.StatusServiceUnavailable)
	cp.MustApply(t, ns, kongPlugin("auth", "basic-auth", "{hide_credentials: true}"))
	both(http.StatusUnauthorized)
	service("")
	both(http.StatusOK)
}

// A plugin with the label global is for all requests. Of two such plugins, the older one is used.
func TestGlobalPlugin(t *testing.T) {
	cp := cluster(t)
	kongKinds(t, cp)
	gw := gateway(t, cp, nil)
	gw.NeedKong()
	ns := cp.Namespace(t)
	host := ns + ".example"
	global := func(name, value string) string {
		return fmt.Sprintf(`---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: %s, labels: {global: "true"}, annotations: {kubernetes.io/ingress.class: kong}}
plugin: response-transformer
config: {add: {headers: ["x-global:%s"]}}
`, ns+"-"+name, value)
	}
	t.Cleanup(func() {
		for _, name := range []string{"first", "second"} {
			_ = cp.Delete(context.WithoutCancel(t.Context()), "", global(name, ""))
		}
	})
	cp.MustApply(t, ns, app("web", host, 1)+global("first", "one"))
	wantHeader(t, gw.HTTP, host, "x-global", "one")
	nextSecond()
	cp.MustApply(t, ns, global("second", "two"))
	clusterPlugins := schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1", Resource: "kongclusterplugins"}
	wantCondition(t, cp, clusterPlugins, "", ns+"-second", "Programmed", "False")
	wantHeader(t, gw.HTTP, host, "x-global", "one")
	if err := cp.Delete(t.Context(), "", global("first", "")); err != nil {
		t.Fatal(err)
	}
	wantHeader(t, gw.HTTP, host, "x-global", "two")
	wantCondition(t, cp, clusterPlugins, "", ns+"-second", "Programmed", "True")
}
