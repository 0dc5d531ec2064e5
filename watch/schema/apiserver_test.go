package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/schema"
	"github.com/kube-sync/kube-sync/watch/schema/builtin"
)

func TestMain(m *testing.M) { lab.Main(m) }

// A real API server refuses the same objects for the same reasons.
func TestRealValidation(t *testing.T) {
	cp := lab.Shared(t)
	cp.MustApplyModule(t, lab.GatewayAPI, lab.GatewayAPIDefinitions)
	cp.MustApplyModule(t, lab.Kong, lab.KongDefinitions)
	namespace := cp.Namespace(t)
	refused, taken := 0, 0
	for _, object := range objects(t, "testdata/refused.yaml") {
		name := object.GetKind() + " " + object.GetName()
		want := said(create(t.Context(), t, cp.Dynamic, namespace, object))
		raw, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		_, custom := schema.Admit(object.GroupVersionKind(), raw)
		got := asServer(append(custom, builtin.Admit(object.GroupVersionKind(), raw)...))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the API server (-) and check (+) differ:\n%s", name, diff)
		}
		if len(want) > 0 {
			refused++
		} else {
			taken++
		}
	}
	t.Logf("the API server refused %d objects and took %d", refused, taken)
	if refused < 80 || taken < 5 {
		t.Errorf("the API server refused %d objects, want at least 80, and took %d, want at least 5", refused, taken)
	}
}

// Objects that a cluster has, with all that the API server and controllers add, are not refused.
func TestStoredObjectsAreNotRefused(t *testing.T) {
	cp := lab.Shared(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, `
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: a}, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: external}
spec: {type: ExternalName, externalName: a.example}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: balanced, port: {name: http}}}}
`)
	seen := map[string]int{}
	for _, kind := range kinds.Core() {
		list, err := cp.Dynamic.Resource(kind.Resource).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range list.Items {
			raw, err := json.Marshal(object.Object)
			if err != nil {
				t.Fatal(err)
			}
			if refused := builtin.Admit(kind.GroupVersionKind(), raw); len(refused) > 0 {
				t.Errorf("%s %s/%s: %v", kind.Name, object.GetNamespace(), object.GetName(), refused)
			}
			seen[string(kind.Name)]++
		}
	}
	for _, kind := range []string{"Service", "EndpointSlice", "Namespace", "ConfigMap", "Ingress"} {
		if seen[kind] == 0 {
			t.Errorf("the cluster has no %s", kind)
		}
	}
	t.Logf("validated %v", seen)
}

func objects(t *testing.T, file string) (all []*unstructured.Unstructured) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		raw, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := json.Unmarshal(raw, &object.Object); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	return all
}

// create asks the API server to create an object, without storing it.
func create(ctx context.Context, t *testing.T, client dynamic.Interface, namespace string, object *unstructured.Unstructured) error {
	t.Helper()
	all := kinds.All()
	at := slices.IndexFunc(all, func(k kinds.Kind) bool { return k.GroupVersionKind() == object.GroupVersionKind() })
	if at < 0 {
		t.Fatalf("%s is not read", object.GroupVersionKind())
	}
	var resource dynamic.ResourceInterface = client.Resource(all[at].Resource)
	if all[at].Namespaced {
		resource = client.Resource(all[at].Resource).Namespace(namespace)
	}
	_, err := resource.Create(ctx, object.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	return err
}

// rulesUnchecked ends the reason that the API server adds if an object is too wrong for CEL rules.
const rulesUnchecked = "correct the existing errors to complete validation"

// said returns the reasons for which the API server has refused an object.
func said(err error) (reasons []string) {
	if err == nil {
		return nil
	}
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok && apierrors.IsInvalid(err) {
		for _, cause := range status.Status().Details.Causes {
			if strings.HasSuffix(cause.Message, rulesUnchecked) {
				continue // the other reasons say what to correct
			}
			reasons = append(reasons, cause.Field+": "+cause.Message)
		}
		return unique(reasons)
	}
	message := err.Error()
	if _, after, ok := strings.Cut(message, "strict decoding error: "); ok {
		return unique(strings.Split(after, ", "))
	}
	if _, after, ok := strings.Cut(message, " cannot be handled as a "); ok {
		_, message, _ = strings.Cut(after, ": ")
	}
	return []string{message}
}

// asServer returns errors in the form of said. A server does not validate an object that it cannot
// decode.
func asServer(refused []error) []string {
	var reasons, unknown []string
	for _, err := range refused {
		invalid, ok := errors.AsType[*field.Error](err)
		decode, isDecode := errors.AsType[*builtin.DecodeError](err)
		switch {
		case ok:
			reasons = append(reasons, invalid.Field+": "+invalid.ErrorBody())
		case isDecode:
			unknown = append(unknown, decode.Unwrap().Error())
		default:
			unknown = append(unknown, err.Error())
		}
	}
	if len(unknown) > 0 {
		return unique(unknown)
	}
	return unique(reasons)
}

func unique(reasons []string) []string {
	slices.Sort(reasons)
	return slices.Compact(reasons)
}
