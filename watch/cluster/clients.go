package cluster

import (
	"context"
	"fmt"
	"log/slog"
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

// Clients talk to one API server. Those made from one REST configuration share a connection
// and a rate limit.
type Clients struct {
	Core     kubernetes.Interface // protobuf
	Metadata metadata.Interface   // protobuf
	Dynamic  dynamic.Interface    // JSON, the only encoding of custom kinds
	// Lease is Core without the rate limit: a lease that waits for other requests is lost.
	Lease kubernetes.Interface
	// Resources lists the resources of an API version; NotFound if it is not served.
	Resources func(context.Context, schema.GroupVersion) (*metav1.APIResourceList, error)
}

// NewClients returns clients for an API server, for uses besides watching. It does not contact it.
func NewClients(config *rest.Config, qps float32, burst int, log *slog.Logger) (*Clients, error) {
	return newClients(config, qps, burst, newContact(log))
}

func newClients(config *rest.Config, qps float32, burst int, contact *contact) (*Clients, error) {
	config = rest.CopyConfig(config)
	config.RateLimiter = flowcontrol.NewFakeAlwaysRateLimiter()
	if qps > 0 {
		config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(qps, burst)
	}
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

	c := &Clients{}
	if c.Core, err = kubernetes.NewForConfigAndClient(protobuf, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.Lease, err = kubernetes.NewForConfigAndClient(unlimited, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.Metadata, err = metadata.NewForConfigAndClient(config, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	if c.Dynamic, err = dynamic.NewForConfigAndClient(config, connection); err != nil {
		return nil, fmt.Errorf("client of %s: %w", config.Host, err)
	}
	c.Resources = resources(c.Core.Discovery().RESTClient())
	return c, nil
}

// resources returns a function that lists the resources of an API version. The function of
// the discovery client takes no context.
func resources(client rest.Interface) func(context.Context, schema.GroupVersion) (*metav1.APIResourceList, error) {
	return func(ctx context.Context, version schema.GroupVersion) (*metav1.APIResourceList, error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		list := &metav1.APIResourceList{}
		err := client.Get().AbsPath("/apis/" + version.String()).Do(ctx).Into(list)
		return list, err
	}
}
