package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// exampleManifests returns the manifests of a directory in the order of kubectl apply -f.
func exampleManifests(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob("../examples/" + dir + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples in %s: %v", dir, err)
	}
	slices.Sort(files)
	var all strings.Builder
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(raw))
	}
	return all.String()
}

// TestExamplesOnACluster applies the examples one document after the other, the first directory to a cluster without
// custom kinds, and sends the requests of their README.
func TestExamplesOnACluster(t *testing.T) {
	lab.Require(t)
	if lab.External() {
		lab.Skip(t, "installs the gateway itself")
	}
	pod.NeedPlugins(t)
	cp := lab.StartControlPlane(t)
	gw := pod.Deploy(t, cp, nil)
	cp.MustApply(t, "", exampleManifests(t, "cluster"))
	for _, test := range []struct {
		origin, host, path string
		status             int
		app                string
	}{
		{"http://" + gw.HTTP, "shop.example", "/cart", http.StatusOK, "shop"},
		{"http://" + gw.HTTP, "shop.example", "/items/42", http.StatusOK, "shop"},
		{"http://" + gw.HTTP, "de.shop.example", "/", http.StatusOK, "shop"},
		{"http://" + gw.HTTP, "shop.example", "/checkout/pay", http.StatusPermanentRedirect, ""},
		{"https://" + gw.HTTPS, "shop.example", "/checkout/pay", http.StatusOK, "shop"},
		{"http://" + gw.HTTP, "blog.example", "/posts/42", http.StatusOK, "blog"},
		{"http://" + gw.HTTP, "blog.example", "/postscript", http.StatusNotFound, ""},
	} {
		wantAnswer(t, test.origin, test.host, test.path, test.status, test.app)
	}

	allKinds(t, cp)
	class, err := os.ReadFile("../kong-conf/gatewayclass.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, "", string(class)+exampleManifests(t, "cluster/gateway-api")+exampleManifests(t, "cluster/kong"))
	address := addressOf(t, cp, "shop", "web")
	wantAnswer(t, "http://"+address, "api.example", "/orders/42", http.StatusOK, "shop")
	wantAnswer(t, "http://"+address, "api.example", "/orders/42", http.StatusOK, "blog", "X-Canary", "yes")
	wantAnswer(t, "http://"+gw.HTTP, "members.example", "/", http.StatusUnauthorized, "")
	wantAnswer(t, "http://"+gw.HTTP, "members.example", "/", http.StatusOK, "shop", "apikey", "example-key-of-alice")
}

// wantAnswer waits for an answer with a status. With the status 200, it has to be from a pod of an app.
func wantAnswer(t *testing.T, origin, host, path string, status int, app string, headers ...string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		answer, err := askAt(origin, http.MethodGet, host, path, headers...)
		if err != nil {
			return err
		}
		if from := answer.Pod[:max(0, strings.Index(answer.Pod, "-"))]; answer.StatusCode != status || status == http.StatusOK && from != app {
			return fmt.Errorf("%s%s at %s with %v: status %d from pod %q, want %d from %s", host, path, origin, headers, answer.StatusCode, answer.Pod, status, app)
		}
		return nil
	})
}
