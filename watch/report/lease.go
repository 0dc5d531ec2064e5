package report

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// releaseWithin is how long a shutdown waits until the Lease is released.
const releaseWithin = 5 * time.Second

// LeaseOptions describe the Lease whose holder writes statuses and Events.
type LeaseOptions struct {
	// Namespace is the namespace of the pod. Required.
	Namespace string
	// Name defaults to "kube-sync". Gateways of different classes in one
	// namespace need different names.
	Name string
	// Duration is how long the Lease is valid without a renewal, Renew is how long the holder
	// tries to renew it, and Retry is the pause between attempts. Defaults 30, 20 and 5 s. They
	// are longer than usual because hundreds of replicas may wait.
	Duration, Renew, Retry time.Duration
}

func (o LeaseOptions) withDefaults() (LeaseOptions, error) {
	if o.Namespace == "" {
		return o, errors.New("the namespace of the Lease is missing")
	}
	if o.Name == "" {
		o.Name = "kube-sync"
	}
	if o.Duration == 0 && o.Renew == 0 && o.Retry == 0 {
		o.Duration, o.Renew, o.Retry = 30*time.Second, 20*time.Second, 5*time.Second
	}
	return o, nil
}

// hold calls lead whenever the Lease is held, with a context that ends when it is lost. hold
// returns when the context ends, after lead has returned and the Lease is released.
func (o LeaseOptions) hold(ctx context.Context, client coordinationv1client.LeasesGetter, holder string, lead func(context.Context)) error {
	// The elector calls lead in a goroutine, possibly after it has lost the Lease again.
	var leading sync.Mutex
	config := leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name},
			Client:     client,
			LockConfig: resourcelock.ResourceLockConfig{Identity: holder},
		},
		LeaseDuration:   o.Duration,
		RenewDeadline:   o.Renew,
		RetryPeriod:     o.Retry,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				leading.Lock()
				defer leading.Unlock()
				if ctx.Err() == nil {
					lead(ctx)
				}
			},
			OnStoppedLeading: func() {},
		},
	}
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(config)
		if err != nil {
			return fmt.Errorf("lease %s/%s: %w", o.Namespace, o.Name, err)
		}
		elect(ctx, elector)
		leading.Lock()   // until lead has returned
		leading.Unlock() //nolint:staticcheck // the lock only waits
	}
	return nil
}

// elect runs an elector. When the context ends it waits at most releaseWithin for an API
// server that does not answer.
func elect(ctx context.Context, elector *leaderelection.LeaderElector) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		elector.Run(ctx)
	}()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(releaseWithin):
	}
}
