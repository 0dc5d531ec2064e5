package cluster

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// fieldManager is the owner of the fields that kube-sync writes.
const fieldManager = "kube-sync"

// PatchStatus merges a status into that of an object. It fails with a conflict unless the
// object has the resource version. A custom kind is patched in the API version that is read.
func (c *Cluster) PatchStatus(ctx context.Context, key unit.Key, version string, status any) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": version},
		"status":   status,
	})
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: fieldManager}
	if key.Kind == unit.Ingress {
		_, err = c.clients.Core.NetworkingV1().Ingresses(key.Namespace).
			Patch(ctx, key.Name, types.MergePatchType, body, options, "status")
		return err
	}
	_, err = c.dynamic(key).Patch(ctx, key.Name, types.MergePatchType, body, options, "status")
	return err
}

// Apply applies an object on the server side and returns its new resource version.
func (c *Cluster) Apply(ctx context.Context, key unit.Key, object unit.Object) (version string, err error) {
	body, err := json.Marshal(object)
	if err != nil {
		return "", err
	}
	force := true
	result, err := c.dynamic(key).Patch(ctx, key.Name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: fieldManager, Force: &force})
	if err != nil {
		return "", err
	}
	return result.GetResourceVersion(), nil
}

// Delete deletes the object that has the UID. It returns no error if the object is gone, or
// if another one has its name.
func (c *Cluster) Delete(ctx context.Context, key unit.Key, uid types.UID) error {
	err := c.dynamic(key).Delete(ctx, key.Name, *metav1.NewPreconditionDeleteOptions(string(uid)))
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func (c *Cluster) dynamic(key unit.Key) dynamic.ResourceInterface {
	return c.clients.Dynamic.Resource(c.caches.resource(key.Kind)).Namespace(key.Namespace)
}

// EventSink returns the client that writes Events.
func (c *Cluster) EventSink() record.EventSink {
	return &corev1client.EventSinkImpl{Interface: c.clients.Core.CoreV1().Events("")}
}

// Leases returns the client for Leases, which has no rate limit.
func (c *Cluster) Leases() coordinationv1client.LeasesGetter { return c.clients.Lease.CoordinationV1() }
