package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// releaseWithin is how long a shutdown waits for the lease to be given back.
const releaseWithin = 5 * time.Second

// LeaseOptions name the one Lease whose holder writes statuses and events.
type LeaseOptions struct {
	// Namespace is the pod's. Required.
	Namespace string
	// Name defaults to "kube-sync". Gateways of different classes in one
	// namespace need different names.
	Name string
	// Duration, Renew and Retry are the holder's time to live without a renewal,
	// the time within which it must renew, and the pause between attempts.
	// Defaults 30, 20 and 5 s: slower than usual, as hundreds may wait.
	Duration, Renew, Retry time.Duration
}

func (o LeaseOptions) withDefaults() (LeaseOptions, error) {
	if o.Namespace == "" {
		return o, errors.New("lease: no namespace")
	}
	if o.Name == "" {
		o.Name = "kube-sync"
	}
	if o.Duration == 0 && o.Renew == 0 && o.Retry == 0 {
		o.Duration, o.Renew, o.Retry = 30*time.Second, 20*time.Second, 5*time.Second
	}
	return o, nil
}

// hold calls lead whenever the lease is held; its context ends with that. hold
// returns when the context ends, with lead over and the lease given back.
func (o LeaseOptions) hold(ctx context.Context, client kubernetes.Interface, holder string, lead func(context.Context)) error {
	// The elector starts lead by itself, maybe when it has lost the lease again.
	var leading sync.Mutex
	config := leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name},
			Client:     client.CoordinationV1(),
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
		leading.Lock()   // until lead is over
		leading.Unlock() //nolint:staticcheck // nothing is to be done within
	}
	return nil
}

// elect runs an elector. When the context ends it doesn't wait longer than
// releaseWithin for an API server that doesn't answer.
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
