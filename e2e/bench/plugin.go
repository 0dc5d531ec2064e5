package bench

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Objects that a plugin and a credential need, besides those that a change writes.
const (
	pluginName   = "bench-key-auth"
	consumerName = "bench"
	consumer     = `
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: {name: ` + pluginName + `}
plugin: key-auth
---
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata:
  name: ` + consumerName + `
  annotations: {kubernetes.io/ingress.class: kong}
username: ` + consumerName + `
`
)

var consumers = schema.GroupVersionResource{Group: "configuration.konghq.com", Version: "v1", Resource: "kongconsumers"}

// startPlugins installs the definitions of Kong's kinds, and creates a plugin and a consumer.
func (w *world) startPlugins(t testing.TB) {
	t.Helper()
	for _, kind := range []string{"kongplugins", "kongconsumers"} {
		w.cp.MustApplyModule(t, lab.Kong, "config/crd/ingress-controller/configuration.konghq.com_"+kind+".yaml")
	}
	w.cp.MustApply(t, w.namespace, consumer)
}

// annotate sets the plugins of a route.
func (w *world) annotate(ctx context.Context, name, plugins string) error {
	patch := merge(map[string]any{"metadata": map[string]any{"annotations": map[string]string{"konghq.com/plugins": plugins}}})
	_, err := w.api.NetworkingV1().Ingresses(w.namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("annotate Ingress %s: %w", name, err)
	}
	return nil
}

// unplug removes the consumer's keys.
func (w *world) unplug(ctx context.Context) error {
	if err := w.keys(ctx); err != nil {
		return err
	}
	err := w.api.CoreV1().Secrets(w.namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: keyLabel})
	if err != nil {
		return fmt.Errorf("delete the keys: %w", err)
	}
	return nil
}

// keys makes the named Secrets the consumer's credentials.
func (w *world) keys(ctx context.Context, names ...string) error {
	patch := merge(map[string]any{"credentials": names})
	_, err := w.cp.Dynamic.Resource(consumers).Namespace(w.namespace).Patch(ctx, consumerName, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("change KongConsumer %s: %w", consumerName, err)
	}
	return nil
}

func (w *world) keySecret(ctx context.Context, name string) error {
	_, err := w.api.CoreV1().Secrets(w.namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{keyLabel: "key-auth"}},
		StringData: map[string]string{"key": name},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make Secret %s: %w", name, err)
	}
	return nil
}

// keyLabel marks the Secrets with keys.
const keyLabel = "konghq.com/credential"

// key is the consumer's key in this round, and the name of its Secret.
func (r *rounds) key() string { return fmt.Sprintf("key-%s-%d", r.name, r.number) }

func (r *rounds) newPlugin() (change, error) {
	return change{
		write: func(ctx context.Context) error { return r.world.annotate(ctx, r.ingress(), pluginName) },
		questions: []question{
			{url: "http://" + host(r.ingress()) + secondPath, right: status(http.StatusUnauthorized), stale: r.fromBehind()},
		},
	}, nil
}

// newCredential adds a key for the route that has got the plugin before.
func (r *rounds) newCredential() (change, error) {
	return change{
		write: func(ctx context.Context) error {
			if err := r.world.keySecret(ctx, r.key()); err != nil {
				return err
			}
			return r.world.keys(ctx, r.key())
		},
		questions: []question{
			{url: "http://" + host(r.ingress()) + secondPath + "?apikey=" + r.key(), right: served, stale: status(http.StatusUnauthorized)},
		},
	}, nil
}
