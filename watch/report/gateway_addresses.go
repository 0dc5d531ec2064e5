package report

import (
	"cmp"
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
)

// serviceFollower watches single Services.
type serviceFollower interface {
	// FollowService calls a function with every state of a Service until the context ends.
	// It returns once the first list is complete.
	FollowService(ctx context.Context, name types.NamespacedName, changed func(*corev1.Service))
}

// gatewayAddresses are the addresses at which clients reach the gateway: fixed ones, or those
// of a Service. Only the replica that writes statuses watches the Service. The last addresses
// stay until the Service has others, even after it is deleted.
type gatewayAddresses struct {
	services serviceFollower
	service  *types.NamespacedName
	// observers are called when the addresses change.
	observers []func()
	// known is closed once the Service has been listed, or immediately for fixed addresses.
	known     chan struct{}
	announced sync.Once

	mu        sync.Mutex
	addresses []networkingv1.IngressLoadBalancerIngress
}

// newGatewayAddresses returns the fixed addresses if there are any, else those of the Service.
func newGatewayAddresses(services serviceFollower, service *types.NamespacedName, fixed []string) *gatewayAddresses {
	a := &gatewayAddresses{services: services, known: make(chan struct{})}
	for _, address := range fixed {
		a.addresses = append(a.addresses, ingressOf(address))
	}
	if len(fixed) == 0 {
		a.service = service
	}
	sortAddresses(a.addresses)
	return a
}

func (a *gatewayAddresses) get() []networkingv1.IngressLoadBalancerIngress {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addresses
}

// values returns the IP addresses and host names alone.
func (a *gatewayAddresses) values() []string {
	var values []string
	for _, address := range a.get() {
		values = append(values, cmp.Or(address.IP, address.Hostname))
	}
	return values
}

// observe registers a function that is called when the addresses change. It must be called
// before follow.
func (a *gatewayAddresses) observe(f func()) { a.observers = append(a.observers, f) }

// follow watches the Service until the context ends. It returns once the addresses are known.
func (a *gatewayAddresses) follow(ctx context.Context) {
	defer a.announced.Do(func() { close(a.known) })
	if a.service == nil {
		return
	}
	a.services.FollowService(ctx, *a.service, func(service *corev1.Service) {
		if a.set(service) {
			for _, observer := range a.observers {
				observer()
			}
		}
	})
}

func (a *gatewayAddresses) set(service *corev1.Service) (changed bool) {
	addresses := serviceAddresses(service)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(addresses) == 0 || equality.Semantic.DeepEqual(addresses, a.addresses) {
		return false
	}
	a.addresses = addresses
	return true
}
