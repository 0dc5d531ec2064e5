package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

// kongKinds has the cluster serve Kong's published kinds.
func kongKinds(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	cp.MustApplyModule(t, lab.Kong, lab.KongDefinitions)
}

// request is one to a host with headers, over a connection of its own.
type request struct {
	host, path string
	header     map[string]string
	user       string // and password, as user:password
}

func (r request) send(address string) (*http.Response, string, error) {
	path := r.path
	if path == "" {
		path = "/"
	}
	httpRequest, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, "", err
	}
	httpRequest.Host, httpRequest.Close = r.host, true
	for name, value := range r.header {
		httpRequest.Header.Set(name, value)
	}
	if name, password, ok := strings.Cut(r.user, ":"); ok {
		httpRequest.SetBasicAuth(name, password)
	}
	response, err := client.Do(httpRequest)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// key is a request with a key for key-auth.
func key(host, value string) request {
	return request{host: host, header: map[string]string{"apikey": value}}
}

// wantAnswers waits until some requests in a row, as both of Kong's workers give them,
// are answered with a status.
func wantAnswers(t *testing.T, address string, r request, status int) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		for range 6 {
			response, body, err := r.send(address)
			if err != nil {
				return err
			}
			if response.StatusCode != status {
				return fmt.Errorf("%v is answered %d, want %d: %s", r, response.StatusCode, status, body)
			}
		}
		return nil
	})
}

// withPlugins is an Ingress with plugins.
func withPlugins(name, host, service, plugins string) string {
	return strings.Replace(ingress(name, host, "/", service), "metadata: {name: "+name+"}",
		fmt.Sprintf("metadata: {name: %s, annotations: {konghq.com/plugins: %q}}", name, plugins), 1)
}

// credential is a labeled Secret.
func credential(name, kind string, fields ...string) string {
	text := fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, labels: {konghq.com/credential: %s}}\nstringData:\n", name, kind)
	for i := 0; i < len(fields); i += 2 {
		text += fmt.Sprintf("  %s: %q\n", fields[i], fields[i+1])
	}
	return text
}

// consumer names Secrets with its credentials.
func consumer(name, annotations string, secrets ...string) string {
	return fmt.Sprintf(`---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: {name: %[1]s, annotations: {kubernetes.io/ingress.class: kong%[2]s}}
username: %[1]s
credentials: [%[3]s]
`, name, annotations, strings.Join(secrets, ", "))
}

// kongPlugin is one with a configuration in YAML's flow style.
func kongPlugin(name, plugin, config string) string {
	return fmt.Sprintf("---\napiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: %s}\nplugin: %s\nconfig: %s\n", name, plugin, config)
}

var kongPlugins = schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1", Resource: "kongplugins"}

// wantCondition waits for the status of an object's condition, as of its generation.
func wantCondition(t *testing.T, cp *lab.ControlPlane, resource schema.GroupVersionResource, namespace, name, condition, status string) {
	t.Helper()
	eventually.Nil(t, time.Minute, func() error {
		object, err := cp.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		for _, item := range conditions {
			c, _ := item.(map[string]any)
			if c["type"] == condition && c["status"] == status && c["observedGeneration"] == object.GetGeneration() {
				t.Logf("%s is %s: %v: %v", condition, status, c["reason"], c["message"])
				return nil
			}
		}
		return fmt.Errorf("%s %s has the conditions %v, want %s %s", resource.Resource, name, conditions, condition, status)
	})
}
