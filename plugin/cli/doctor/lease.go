package doctor

import (
	"context"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// lease examines the Lease whose holder writes statuses and Events.
func (d Doctor) lease(ctx context.Context, p Patient) []Finding {
	f := findings{area: "lease"}
	if !p.Settings.UpdateStatus && !p.Settings.EmitEvents {
		f.ok("no Lease is needed: statuses and Events are off")
		return f.all
	}
	namespace, name := p.Settings.ElectionNamespace, p.Settings.ElectionID
	lease, err := d.Clients.Core.CoordinationV1().Leases(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		f.add(Failure, "look at the rights above and at the log of the pods", "there is no Lease %s/%s: no gateway writes statuses and Events", namespace, name)
	case err != nil:
		f.unread("the Lease "+namespace+"/"+name, err)
	default:
		d.holder(&f, p, lease)
	}
	return f.all
}

// holder examines whether the holder of a Lease is alive.
func (d Doctor) holder(f *findings, p Patient, lease *coordinationv1.Lease) {
	name := lease.Namespace + "/" + lease.Name
	holder := ptr.Deref(lease.Spec.HolderIdentity, "")
	if holder == "" {
		f.add(Warning, "wait some seconds; if it stays so, look at the log of the pods", "no gateway holds the Lease %s", name)
		return
	}
	duration := time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 30)) * time.Second
	age := d.now().Sub(ptr.Deref(lease.Spec.RenewTime, metav1.MicroTime{}).Time).Round(time.Second)
	if age > duration {
		f.add(Failure, "look at the log of the pods: they cannot reach the API server, or may not write the Lease",
			"%s held the Lease %s and last renewed it %s ago; it is valid for %s", holder, name, age, duration)
		return
	}
	f.ok("%s holds the Lease %s", holder, name)
	isHolder := func(pod corev1.Pod) bool { return pod.Name == holder }
	if len(p.Pods) > 0 && !slices.ContainsFunc(p.Pods, isHolder) {
		f.add(Warning, "give each release its own class or ELECTION_ID if this is not intended", "the holder %s is not a pod of this gateway", holder)
	}
}
