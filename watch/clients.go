package watch

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// clients talk to one API server over one connection and under one rate limit.
type clients struct {
	core     kubernetes.Interface // protobuf
	metadata metadata.Interface   // protobuf
	dynamic  dynamic.Interface    // JSON, the only form that custom kinds have
	// lease is core without the rate limit: a lease that isn't renewed for
	// others' requests is lost.
	lease kubernetes.Interface
	// resources asks what an API group has; NotFound if there is no such group.
	resources func(context.Context, schema.GroupVersion) (*metav1.APIResourceList, error)
}

func newClients(config *rest.Config, qps float32, burst int, contact *contact) (*clients, error) {
	config = rest.CopyConfig(config)
	config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(qps, burst)
	config.Wrap(contact.wrap)
	connection, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connection to %s: %w", config.Host, err)
	}
	protobuf := rest.CopyConfig(config)
	protobuf.ContentType = runtime.ContentTypeProtobuf
	protobuf.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	unlimited := rest.CopyConfig(protobuf)
	unlimited.RateLimiter = flowcontrol.NewFakeAlwaysRateLimiter()

	c := &clients{}
	if c.core, err = kubernetes.NewForConfigAndClient(protobuf, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.lease, err = kubernetes.NewForConfigAndClient(unlimited, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.metadata, err = metadata.NewForConfigAndClient(config, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(config, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	c.resources = resources(c.core.Discovery().RESTClient())
	return c, nil
}

// resources is discovery's own request under a context.
func resources(client rest.Interface) func(context.Context, schema.GroupVersion) (*metav1.APIResourceList, error) {
	return func(ctx context.Context, version schema.GroupVersion) (*metav1.APIResourceList, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		list := &metav1.APIResourceList{}
		err := client.Get().AbsPath("/apis/" + version.String()).Do(ctx).Into(list)
		return list, err
	}
}
