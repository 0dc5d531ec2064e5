package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// scene is shared by the scenarios of one theme: a cluster with all kinds, a gateway, and a
// namespace with the Deployment web.
type scene struct {
	cp *lab.ControlPlane
	gw *pod.Pod
	ns string
}

// newScene skips the test without Kong. The function, unless it is nil, returns settings of Kong for
// a namespace.
func newScene(t *testing.T, settings func(ns string) map[string]string) scene {
	t.Helper()
	pod.NeedPlugins(t)
	cp := cluster(t)
	kongKinds(t, cp)
	gatewayKinds(t, cp)
	s := scene{cp: cp, ns: cp.Namespace(t)}
	options := pod.Options{Credentials: credentials(t, cp), Name: "gateway-0"}
	if settings != nil {
		options.Kong = settings(s.ns)
	}
	s.gw = pod.Start(t, options)
	cp.MustApply(t, s.ns, deployment("web", 1))
	return s
}

// host returns one of the scene's hosts.
func (s scene) host(name string) string { return name + "." + s.ns + ".example" }

// apply applies manifests of one or more documents.
func (s scene) apply(t *testing.T, manifests ...string) {
	t.Helper()
	s.cp.MustApply(t, s.ns, strings.Join(manifests, "\n---\n"))
}

func (s scene) remove(t *testing.T, manifest string) {
	t.Helper()
	if err := s.cp.Delete(t.Context(), s.ns, manifest); err != nil {
		t.Fatal(err)
	}
}

// roundTrip sends the request and returns the request that the backend received. It does not follow
// redirects.
func (r request) roundTrip(address string) (*http.Response, echoed, error) {
	path := r.path
	if path == "" {
		path = "/"
	}
	sent, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, echoed{}, err
	}
	sent.Host = r.host
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	if name, password, ok := strings.Cut(r.user, ":"); ok {
		sent.SetBasicAuth(name, password)
	}
	response, err := client.Transport.RoundTrip(sent)
	if err != nil {
		return nil, echoed{}, err
	}
	defer response.Body.Close()
	var e echoed
	body, err := io.ReadAll(response.Body)
	_ = json.Unmarshal(body, &e)
	return response, e, err
}

// want waits until requests are answered with a status, and the check accepts the answer and the request
// that the backend received.
func (s scene) want(t *testing.T, r request, status int, check func(*http.Response, echoed) error) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range 4 { // both of Kong's workers
			response, e, err := r.roundTrip(s.gw.HTTP)
			if err != nil {
				return err
			}
			if response.StatusCode != status {
				return fmt.Errorf("%v is answered %s, want %d", r, response.Status, status)
			}
			if check == nil {
				continue
			}
			if err := check(response, e); err != nil {
				return fmt.Errorf("%v: %w", r, err)
			}
		}
		return nil
	})
}

// The tests that the list of scenarios names exist.
func TestScenariosAreTested(t *testing.T) {
	list, err := os.ReadFile("scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([A-Za-z0-9]+))?`").FindAllStringSubmatch(string(list), -1)
	if len(named) < 20 {
		t.Fatalf("the list names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(source.String(), "\nfunc "+name[1]+"(t *testing.T)") ||
			name[2] != "" && !strings.Contains(source.String(), "t.Run(\""+name[2]+"\"") {
			t.Errorf("there is no test %s", name[0])
		}
	}
}
