package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/kube-sync/kube-sync/plugin/inspect"
)

const (
	// selector finds the pods of the chart and of the manifests.
	selector = "app.kubernetes.io/part-of=kube-sync"
	// leasePrefix is how the names of Leases start, unless ELECTION_ID says otherwise.
	leasePrefix = "kube-sync-"
	// eventSource is the source of kube-sync's Events.
	eventSource = "source=kube-sync,type=Warning"
	// listedEvents is the number of objects with Events that are listed.
	listedEvents = 20
)

// Cluster is what a cluster knows about its gateways.
type Cluster struct {
	Time time.Time `json:"time"`
	// Pods are those of the gateways.
	Pods []Pod `json:"pods"`
	// Leases are those whose holders write statuses.
	Leases []Lease `json:"leases"`
	// Faults are the objects with the newest Warnings, FaultsTotal is the number of all.
	Faults      []inspect.Faulty `json:"faults"`
	FaultsTotal int              `json:"faultsTotal"`
	// Unknown says what the cluster does not know or may not be asked, and how to find out.
	Unknown []string `json:"unknown"`
}

// Pod is a pod of a gateway.
type Pod struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Ready     bool      `json:"ready"`
	Restarts  int       `json:"restarts"`
	Started   time.Time `json:"started,omitzero"`
	// Writes is true for the holder of a Lease.
	Writes bool `json:"writes,omitempty"`
}

// Lease is a Lease of gateways of one class.
type Lease struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Holder is the name of a pod; empty if there is none.
	Holder  string    `json:"holder,omitempty"`
	Renewed time.Time `json:"renewed,omitzero"`
	// Expired is true if the holder has not renewed it in time.
	Expired bool `json:"expired,omitempty"`
}

// OfCluster asks a cluster. What may not be read is unknown.
func OfCluster(ctx context.Context, core kubernetes.Interface, now time.Time) Cluster {
	c := Cluster{Time: now, Pods: []Pod{}, Leases: []Lease{}, Faults: []inspect.Faulty{}, Unknown: []string{}}
	c.addLeases(ctx, core)
	c.addPods(ctx, core)
	c.addEvents(ctx, core)
	ask := "kubectl exec -n NAMESPACE POD -- kube-sync status"
	if len(c.Pods) > 0 {
		ask = fmt.Sprintf("kubectl exec -n %s %s -- kube-sync status", c.Pods[0].Namespace, c.Pods[0].Name)
	}
	c.Unknown = append(c.Unknown, "what each Kong holds, its workers, its certificates, and the times of changes. The gateway itself knows: "+ask)
	return c
}

func (c *Cluster) addLeases(ctx context.Context, core kubernetes.Interface) {
	list, err := core.CoordinationV1().Leases(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		c.Unknown = append(c.Unknown, fmt.Sprintf("which gateway writes statuses: %v", err))
		return
	}
	for _, l := range list.Items {
		if strings.HasPrefix(l.Name, leasePrefix) {
			c.Leases = append(c.Leases, leaseOf(l, c.Time))
		}
	}
}

func leaseOf(l coordinationv1.Lease, now time.Time) Lease {
	renewed := ptr.Deref(l.Spec.RenewTime, metav1.MicroTime{}).Time
	valid := time.Duration(ptr.Deref(l.Spec.LeaseDurationSeconds, 0)) * time.Second
	holder := ptr.Deref(l.Spec.HolderIdentity, "")
	return Lease{Namespace: l.Namespace, Name: l.Name, Holder: holder, Renewed: renewed, Expired: holder != "" && now.Sub(renewed) > valid}
}

func (c *Cluster) addPods(ctx context.Context, core kubernetes.Interface) {
	list, err := core.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		c.Unknown = append(c.Unknown, fmt.Sprintf("the pods of gateways: %v", err))
		return
	}
	for _, p := range list.Items {
		pod := Pod{Namespace: p.Namespace, Name: p.Name, Started: ptr.Deref(p.Status.StartTime, metav1.Time{}).Time}
		for _, condition := range p.Status.Conditions {
			pod.Ready = pod.Ready || condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue
		}
		for _, container := range p.Status.ContainerStatuses {
			pod.Restarts += int(container.RestartCount)
		}
		pod.Writes = slices.ContainsFunc(c.Leases, func(l Lease) bool {
			return l.Namespace == p.Namespace && l.Holder == p.Name && !l.Expired
		})
		c.Pods = append(c.Pods, pod)
	}
	if len(c.Pods) == 0 {
		c.Unknown = append(c.Unknown, "the pods of gateways: no pod has the label "+selector)
	}
}

// addEvents adds the objects with Warnings of kube-sync, as Events that are an hour old at most.
func (c *Cluster) addEvents(ctx context.Context, core kubernetes.Interface) {
	list, err := core.CoreV1().Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: eventSource})
	if err != nil {
		c.Unknown = append(c.Unknown, fmt.Sprintf("objects with faults: %v", err))
		return
	}
	byObject := map[inspect.Object]*inspect.Faulty{}
	for _, e := range list.Items {
		object := inspect.Object{Kind: e.InvolvedObject.Kind, Namespace: e.InvolvedObject.Namespace, Name: e.InvolvedObject.Name}
		faulty := byObject[object]
		if faulty == nil {
			faulty = &inspect.Faulty{Object: object}
			byObject[object] = faulty
		}
		faulty.Since = later(faulty.Since, lastOf(e))
		faulty.Faults = append(faulty.Faults, inspect.Fault{Reason: e.Reason, Message: e.Message})
	}
	for _, faulty := range byObject {
		c.Faults = append(c.Faults, *faulty)
	}
	slices.SortFunc(c.Faults, func(a, b inspect.Faulty) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Object.String(), b.Object.String()))
	})
	c.FaultsTotal = len(c.Faults)
	c.Faults = c.Faults[:min(len(c.Faults), listedEvents)]
}

// lastOf returns when an Event last occurred.
func lastOf(e corev1.Event) time.Time {
	last := later(e.CreationTimestamp.Time, later(e.LastTimestamp.Time, e.EventTime.Time))
	if e.Series != nil {
		last = later(last, e.Series.LastObservedTime.Time)
	}
	return last
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
