package watch

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// published are the addresses at which the gateway is reached: fixed ones, or
// those of a Service, which is watched only by who writes statuses. Once known
// they stay until there are others; a Service that is gone changes nothing.
type published struct {
	cluster *Cluster
	service *types.NamespacedName
	// observers are called when the addresses changed.
	observers []func()
	// known is closed once the addresses are, as far as there are any.
	known     chan struct{}
	announced sync.Once

	mu        sync.Mutex
	addresses []networkingv1.IngressLoadBalancerIngress
}

func newPublished(cluster *Cluster, service *types.NamespacedName, fixed []string) *published {
	p := &published{cluster: cluster, known: make(chan struct{})}
	for _, address := range fixed {
		p.addresses = append(p.addresses, loadBalancer(address))
	}
	if len(fixed) == 0 {
		p.service = service
	}
	sortAddresses(p.addresses)
	return p
}

func (p *published) get() []networkingv1.IngressLoadBalancerIngress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addresses
}

// texts are the addresses alone.
func (p *published) texts() []string {
	var texts []string
	for _, address := range p.get() {
		texts = append(texts, cmp.Or(address.IP, address.Hostname))
	}
	return texts
}

// observe has f called when the addresses change. It is called before follow.
func (p *published) observe(f func()) { p.observers = append(p.observers, f) }

// follow watches the Service until the context ends and tells the observers when the
// addresses change. It returns once they are known, as far as there are any.
func (p *published) follow(ctx context.Context) {
	defer p.announced.Do(func() { close(p.known) })
	if p.service == nil {
		return
	}
	byName := func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, p.service.Name).String()
	}
	informer := informers.NewSharedInformerFactoryWithOptions(p.cluster.clients.core, 0,
		informers.WithNamespace(p.service.Namespace), informers.WithTweakListOptions(byName)).Core().V1().Services().Informer()
	set := func(received any) {
		if service, ok := received.(*corev1.Service); ok && service.Name == p.service.Name && p.set(service) {
			for _, observer := range p.observers {
				observer()
			}
		}
	}
	_ = informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		p.cluster.failed(fmt.Sprintf("service %s", p.service), err)
	})
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, after any) { set(after) },
	})
	if err != nil {
		return // only an informer that was stopped refuses handlers
	}
	go informer.RunWithContext(ctx)
	cache.WaitFor(ctx, "", handler.HasSyncedChecker())
}

func (p *published) set(service *corev1.Service) (changed bool) {
	addresses := addressesOf(service)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(addresses) == 0 || equality.Semantic.DeepEqual(addresses, p.addresses) {
		return false
	}
	p.addresses = addresses
	return true
}

// addressesOf returns where a Service is reached from outside, in order: its
// load balancer, else its external addresses, else, unless it waits for a load
// balancer, its cluster addresses.
func addressesOf(service *corev1.Service) (addresses []networkingv1.IngressLoadBalancerIngress) {
	addresses = balancers(service.Status.LoadBalancer)
	others := service.Spec.ExternalIPs
	if len(others) == 0 && service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		others = service.Spec.ClusterIPs
	}
	for _, address := range others {
		if len(service.Status.LoadBalancer.Ingress) == 0 && address != corev1.ClusterIPNone {
			addresses = append(addresses, loadBalancer(address))
		}
	}
	sortAddresses(addresses)
	return addresses
}

func loadBalancer(address string) networkingv1.IngressLoadBalancerIngress {
	if _, err := netip.ParseAddr(address); err != nil {
		return networkingv1.IngressLoadBalancerIngress{Hostname: address}
	}
	return networkingv1.IngressLoadBalancerIngress{IP: address}
}

// sortAddresses makes lists comparable; their order means nothing.
func sortAddresses(addresses []networkingv1.IngressLoadBalancerIngress) {
	slices.SortFunc(addresses, func(a, b networkingv1.IngressLoadBalancerIngress) int {
		return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.Hostname, b.Hostname))
	})
}
