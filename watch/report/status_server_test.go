package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// statusServer answers patches of Ingresses' statuses like an API server. A patch must name
// the current version, and makes a new one.
type statusServer struct {
	fakes fakes
	mu    sync.Mutex
	next  int
	fail  []error
	count map[string]int // patches by name
}

func serveStatuses(f fakes) *statusServer {
	s := &statusServer{fakes: f, next: 100, count: map[string]int{}}
	f.Core.PrependReactor("patch", "ingresses", s.patch)
	return s
}

func (s *statusServer) patch(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchAction)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[patch.GetName()]++
	if len(s.fail) > 0 {
		err := s.fail[0]
		s.fail = s.fail[1:]
		return true, nil, err
	}
	object, err := s.fakes.Core.Tracker().Get(ingresses, patch.GetNamespace(), patch.GetName())
	if err != nil {
		return true, nil, err
	}
	i := object.(*networkingv1.Ingress).DeepCopy()
	var body networkingv1.Ingress
	if err := json.Unmarshal(patch.GetPatch(), &body); err != nil || patch.GetSubresource() != "status" {
		return true, nil, fmt.Errorf("patch %s of %q: %w", patch.GetPatch(), patch.GetSubresource(), err)
	}
	if body.ResourceVersion != i.ResourceVersion {
		return true, nil, apierrors.NewConflict(ingresses.GroupResource(), i.Name, fmt.Errorf("at %s", i.ResourceVersion))
	}
	i.Status = body.Status
	s.next++
	i.ResourceVersion = strconv.Itoa(s.next)
	return true, i, s.fakes.Core.Tracker().Update(ingresses, i, i.Namespace)
}

func (s *statusServer) patches(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[name]
}

// set writes an Ingress as another client would.
func (s *statusServer) set(t *testing.T, name string, addresses ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	i := watchtest.Ingress(name)
	i.ResourceVersion = strconv.Itoa(s.next)
	for _, address := range addresses {
		i.Status.LoadBalancer.Ingress = append(i.Status.LoadBalancer.Ingress, ingressOf(address))
	}
	tracker := s.fakes.Core.Tracker()
	if _, err := tracker.Get(ingresses, "shop", name); err == nil {
		watchtest.Must(t, tracker.Update(ingresses, i, "shop"))
	} else {
		watchtest.Must(t, tracker.Create(ingresses, i, "shop"))
	}
}

func (s *statusServer) addresses(name string) (addresses []string) {
	object, err := s.fakes.Core.Tracker().Get(ingresses, "shop", name)
	if err != nil {
		return nil
	}
	for _, address := range object.(*networkingv1.Ingress).Status.LoadBalancer.Ingress {
		addresses = append(addresses, address.IP+address.Hostname)
	}
	return addresses
}

func (s *statusServer) until(t *testing.T, name string, want ...string) {
	t.Helper()
	watchtest.Eventually(t, fmt.Sprintf("%s at %v", name, want), func() bool { return slices.Equal(s.addresses(name), want) })
}
