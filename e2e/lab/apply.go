package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

const (
	fieldManager      = "kube-sync-e2e"
	establishedWithin = time.Minute
)

// Apply applies the documents of a YAML or JSON stream in their order, by server-side apply, and returns the objects as
// the server has them. Objects without a namespace get the given one. Apply returns once all CustomResourceDefinitions
// among them are established.
func (cp *ControlPlane) Apply(ctx context.Context, namespace, manifests string) ([]*unstructured.Unstructured, error) {
	objects, err := parse(manifests)
	if err != nil {
		return nil, err
	}
	var applied []*unstructured.Unstructured
	for _, object := range objects {
		result, err := cp.apply(ctx, namespace, object, nil)
		if err != nil {
			return applied, err
		}
		applied = append(applied, result)
	}
	return applied, cp.waitEstablished(ctx, applied)
}

// MustApply is Apply, and fails the test if that returns an error.
func (cp *ControlPlane) MustApply(t testing.TB, namespace, manifests string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := cp.Apply(t.Context(), namespace, manifests)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// DryRun makes the server validate and admit the documents without storing them. The error names every rejected document
// and every unknown field.
func (cp *ControlPlane) DryRun(ctx context.Context, namespace, manifests string) error {
	objects, err := parse(manifests)
	if err != nil {
		return err
	}
	var errs []error
	for _, object := range objects {
		_, err := cp.apply(ctx, namespace, object, []string{metav1.DryRunAll})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Delete deletes the documents' objects, the last first. An object that does not exist is an error.
func (cp *ControlPlane) Delete(ctx context.Context, namespace, manifests string) error {
	objects, err := parse(manifests)
	if err != nil {
		return err
	}
	for i := len(objects) - 1; i >= 0; i-- {
		resource, err := cp.resource(namespace, objects[i])
		if err == nil {
			err = resource.Delete(ctx, objects[i].GetName(), metav1.DeleteOptions{})
		}
		if err != nil {
			return fmt.Errorf("delete %s: %w", describe(objects[i]), err)
		}
	}
	return nil
}

func (cp *ControlPlane) apply(
	ctx context.Context, namespace string, object *unstructured.Unstructured, dryRun []string,
) (*unstructured.Unstructured, error) {
	resource, err := cp.resource(namespace, object)
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", describe(object), err)
	}
	applied, err := resource.Apply(ctx, object.GetName(), object,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true, DryRun: dryRun})
	if err != nil {
		return nil, fmt.Errorf("apply %s: %w", describe(object), err)
	}
	return applied, nil
}

func (cp *ControlPlane) resource(
	namespace string, object *unstructured.Unstructured,
) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := cp.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) && cp.AnyVersion {
		if mapping, err = cp.mapper.RESTMapping(kind.GroupKind()); err == nil {
			object.SetGroupVersionKind(mapping.GroupVersionKind)
		}
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return cp.Dynamic.Resource(mapping.Resource), nil
	}
	if own := object.GetNamespace(); own != "" {
		namespace = own
	}
	if namespace == "" {
		return nil, errors.New("it has no namespace")
	}
	return cp.Dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

// waitEstablished waits until objects of a definition can be applied.
func (cp *ControlPlane) waitEstablished(ctx context.Context, applied []*unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, establishedWithin)
	defer cancel()
	definitions := false
	for _, object := range applied {
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		definitions = true
		resource, err := cp.resource("", object)
		if err != nil {
			return err
		}
		for !established(object) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not established: %w", describe(object), ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
			if object, err = resource.Get(ctx, object.GetName(), metav1.GetOptions{}); err != nil {
				return fmt.Errorf("wait until it is established: %w", err)
			}
		}
	}
	if definitions {
		cp.mapper.Reset()
	}
	return nil
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if condition["type"] == "Established" && condition["status"] == "True" {
			return true
		}
	}
	return false
}

// parse reads a stream of documents. It returns the items of lists, and leaves out empty documents.
func parse(manifests string) ([]*unstructured.Unstructured, error) {
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	var objects []*unstructured.Unstructured
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("manifest %d: %w", number, err)
		}
		object := &unstructured.Unstructured{}
		err = yaml.NewYAMLOrJSONDecoder(bytes.NewReader(document), len(document)+1).Decode(&object.Object)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("manifest %d: %w", number, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if !object.IsList() {
			objects = append(objects, object)
			continue
		}
		err = object.EachListItem(func(item runtime.Object) error {
			objects = append(objects, item.(*unstructured.Unstructured))
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("manifest %d: %w", number, err)
		}
	}
}

func describe(object *unstructured.Unstructured) string {
	name := object.GetName()
	if namespace := object.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return object.GetKind() + " " + name
}
