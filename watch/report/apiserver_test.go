package report

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// TestMain runs the tests in a lab, which has an API server.
func TestMain(m *testing.M) { lab.Main(m) }

func TestRealStatusAndEvents(t *testing.T) {
	r := watchtest.OnRealCluster(t)
	web := r.Ingress("web", "a.example")
	r.Ingress("marker", "b.example")
	proxy, err := r.Core.CoreV1().Services(r.Namespace).Create(r.Ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "proxy"},
		Spec:       corev1.ServiceSpec{ExternalIPs: []string{"192.0.2.1"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	watchtest.Must(t, err)
	c, err := cluster.New(cluster.Options{RESTConfig: r.Config, Namespaces: []string{r.Namespace}, Log: watchtest.Quiet()})
	watchtest.Must(t, err)
	w, err := NewWriter(c, Options{
		UpdateStatus: true, EmitEvents: true, ReportingInstance: "kong-1", Log: watchtest.Quiet(),
		PublishService: &types.NamespacedName{Namespace: proxy.Namespace, Name: proxy.Name},
		Lease:          LeaseOptions{Namespace: r.Namespace},
	})
	watchtest.Must(t, err)
	watchtest.Running(t, c.Run)
	stop := watchtest.Running(t, w.Run)
	got := watchtest.Consume(t, c)
	got.Until("complete", got.IsComplete)

	key := r.Key(unit.Ingress, "web")
	w.Report(Report{Object: key, Programmed: true, Verdicts: []unit.Verdict{unit.Warning(key, "BackendNotFound", "no Service web")}})
	w.Report(Report{Object: r.Key(unit.Ingress, "marker"), Programmed: true})
	address := func(name string) string {
		i, err := r.Core.NetworkingV1().Ingresses(r.Namespace).Get(r.Ctx, name, metav1.GetOptions{})
		watchtest.Must(t, err)
		if len(i.Status.LoadBalancer.Ingress) != 1 {
			return ""
		}
		return i.Status.LoadBalancer.Ingress[0].IP
	}
	watchtest.Eventually(t, "status", func() bool { return address("web") == "192.0.2.1" && address("marker") == "192.0.2.1" })
	watchtest.Eventually(t, "event", func() bool {
		events, err := r.Core.CoreV1().Events(r.Namespace).List(r.Ctx, metav1.ListOptions{
			FieldSelector: fmt.Sprintf("involvedObject.uid=%s,reason=BackendNotFound", web.UID)})
		watchtest.Must(t, err)
		return len(events.Items) == 1 && events.Items[0].Message == "no Service web"
	})

	proxy.Spec.ExternalIPs = []string{"192.0.2.2"}
	_, err = r.Core.CoreV1().Services(r.Namespace).Update(r.Ctx, proxy, metav1.UpdateOptions{})
	watchtest.Must(t, err)
	watchtest.Eventually(t, "new address", func() bool { return address("web") == "192.0.2.2" })
	w.Report(Report{Object: key, Gone: true})
	watchtest.Eventually(t, "no address", func() bool { return address("web") == "" })
	if got.Count[key] > 1 {
		got.Take()
		t.Errorf("our own writes were delivered: %d", got.Count[key])
	}

	stop()
	lease, err := r.Core.CoordinationV1().Leases(r.Namespace).Get(r.Ctx, "kube-sync", metav1.GetOptions{})
	watchtest.Must(t, err)
	if lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" {
		t.Errorf("held by %s", *lease.Spec.HolderIdentity)
	}
}
