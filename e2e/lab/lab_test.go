package lab_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

func TestNamespaceHasNoWayOut(t *testing.T) {
	lab.Require(t)
	conn, err := net.DialTimeout("tcp", "192.0.2.1:80", time.Minute)
	if err == nil {
		_ = conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "network is unreachable") {
		t.Errorf("dial a foreign address: %v, want: network is unreachable", err)
	}
}

func TestGatewayAddressesCanBeListenedOn(t *testing.T) {
	lab.Require(t)
	for _, address := range []string{"10.245.0.1:80", "10.245.77.3:80"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() {
			_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, address)
			}))
		}()
		response, err := http.Get("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(body) != address {
			t.Errorf("answer of %s: %q", address, body)
		}
	}
}

func TestNamespacesAreReady(t *testing.T) {
	cp := lab.Shared(t)
	one, two := cp.Namespace(t), cp.Namespace(t)
	if one == two || !strings.HasPrefix(one, "testnamespacesareready-") {
		t.Errorf("namespaces %q and %q", one, two)
	}
}

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.kube-sync.dev}
spec:
  group: test.kube-sync.dev
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, maximum: 10}
---
# empty
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {key: value}
`

func TestApplyAndDryRun(t *testing.T) {
	cp := lab.Shared(t)
	namespace := cp.Namespace(t)
	objects := cp.MustApply(t, namespace, widgets)
	if len(objects) != 2 || objects[1].GetNamespace() != namespace {
		t.Errorf("applied %v", objects)
	}
	widget := func(name, spec string) string {
		return "---\napiVersion: test.kube-sync.dev/v1\nkind: Widget\nmetadata: {name: " + name + "}\nspec: " + spec + "\n"
	}
	cp.MustApply(t, namespace, widget("small", "{size: 1}"))
	cp.MustApply(t, namespace, widget("small", "{size: 2}"))

	ctx := t.Context()
	if err := cp.DryRun(ctx, namespace, widget("other", "{size: 3}")); err != nil {
		t.Error(err)
	}
	err := cp.DryRun(ctx, namespace, widget("large", "{size: 11}")+widget("strange", "{sise: 1}")+widget("fine", "{}"))
	for _, part := range []string{"Widget large", "less than or equal to 10", "Widget strange", "sise"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("dry run: %v, which lacks %q", err, part)
		}
	}
	if err != nil && strings.Contains(err.Error(), "Widget fine") {
		t.Errorf("dry run: %v", err)
	}
	// Nothing of the dry runs is there: only what was applied can be deleted.
	if err := cp.Delete(ctx, namespace, widget("small", "{}")); err != nil {
		t.Error(err)
	}
	if err := cp.Delete(ctx, namespace, widget("other", "{}")); !apierrors.IsNotFound(err) {
		t.Errorf("delete what was dry run: %v", err)
	}
}

const reader = `
kind: Role
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [list]}
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
`

func TestServiceAccountHasItsRightsOnly(t *testing.T) {
	cp := lab.Shared(t)
	namespace := cp.Namespace(t)
	credentials := cp.ServiceAccount(t, namespace, "reader", reader)
	client, err := kubernetes.NewForConfig(credentials.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, 5*time.Second, func() error { // the authorizer learns of bindings by a watch
		_, err := client.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
		return err
	})
	_, err = client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("list Secrets: %v, want Forbidden", err)
	}
	read, err := os.ReadFile(filepath.Join(credentials.Dir, "namespace"))
	if err != nil || string(read) != namespace {
		t.Errorf("file namespace: %q, %v", read, err)
	}
}

func TestComponentsStopAndStart(t *testing.T) {
	cp := lab.StartControlPlane(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	namespace := cp.Namespace(t)
	for name, stop := range map[string]func(context.Context, string) error{
		"stopped": cp.StopComponent, "killed": cp.KillComponent,
	} {
		t.Run(name, func(t *testing.T) {
			if err := stop(ctx, lab.APIServer); err != nil {
				t.Fatal(err)
			}
			if _, err := cp.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); err == nil {
				t.Error("the API server still answers")
			}
			if err := stop(ctx, lab.APIServer); err == nil || !strings.Contains(err.Error(), "does not run") {
				t.Errorf("stop it again: %v", err)
			}
			if err := cp.StartComponent(ctx, lab.APIServer); err != nil {
				t.Fatal(err)
			}
			if _, err := cp.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}
