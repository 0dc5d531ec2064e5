package loadbalancer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// service is the state of a served Service.
type service struct {
	uid     types.UID
	asked   string // the address asked for
	address netip.Addr
	ports   map[port]forwarder
}

// port is an open port.
type port struct {
	protocol corev1.Protocol
	number   int32
}

// serve opens and closes ports until they are those of the Service.
func (b *LoadBalancer) serve(ctx context.Context, name cache.ObjectName) error {
	object, err := b.services.Services(name.Namespace).Get(name.Name)
	if err != nil || object.Spec.Type != corev1.ServiceTypeLoadBalancer || object.Spec.LoadBalancerClass != nil ||
		object.DeletionTimestamp != nil {
		b.release(name)
		return nil
	}
	s := b.served[name]
	if s != nil && (s.uid != object.UID || s.asked != object.Spec.LoadBalancerIP) {
		b.release(name)
		s = nil
	}
	if s == nil {
		address, err := b.pool.take(name, object.Spec.LoadBalancerIP)
		if err != nil {
			b.events.Event(object, corev1.EventTypeWarning, "AllocationFailed", err.Error())
			return b.writeStatus(ctx, object)
		}
		s = &service{
			uid: object.UID, asked: object.Spec.LoadBalancerIP, address: address, ports: map[port]forwarder{},
		}
		b.served[name] = s
	}
	if err := b.forward(s, object); err != nil {
		return err
	}
	return b.writeStatus(ctx, object, corev1.LoadBalancerIngress{IP: s.address.String()})
}

// forward opens the Service's ports, closes those that it had before, and sets the endpoints of all.
func (b *LoadBalancer) forward(s *service, object *corev1.Service) error {
	found, err := b.slices.EndpointSlices(object.Namespace).List(
		labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: object.Name}))
	if err != nil {
		return fmt.Errorf("list EndpointSlices: %w", err)
	}
	wanted := map[port]bool{}
	for _, p := range object.Spec.Ports {
		at := port{p.Protocol, p.Port}
		wanted[at] = true
		if s.ports[at] == nil {
			opened, err := listen(at.protocol, netip.AddrPortFrom(s.address, uint16(at.number)), b.log)
			if err != nil {
				return err
			}
			s.ports[at] = opened
		}
		s.ports[at].forwardTo(endpoints(found, p))
	}
	for at, opened := range s.ports {
		if !wanted[at] {
			opened.close()
			delete(s.ports, at)
		}
	}
	return nil
}

// release frees a Service's address. Other Services may wait for it.
func (b *LoadBalancer) release(name cache.ObjectName) {
	s := b.served[name]
	if s == nil {
		return
	}
	for _, opened := range s.ports {
		opened.close()
	}
	delete(b.served, name)
	delete(b.pool.owners, s.address)
	others, err := b.services.List(labels.Everything())
	if err != nil {
		b.log.Error("could not queue Services that wait for an address", "error", err)
	}
	for _, other := range others {
		b.queue.Add(cache.MetaObjectToName(other))
	}
}

func (b *LoadBalancer) writeStatus(ctx context.Context, object *corev1.Service, ingress ...corev1.LoadBalancerIngress) error {
	have := object.Status.LoadBalancer.Ingress
	if len(have) == len(ingress) && (len(have) == 0 || have[0].IP == ingress[0].IP) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": object.UID}, // not of one made anew by the same name
		"status":   map[string]any{"loadBalancer": map[string]any{"ingress": ingress}},
	})
	if err != nil {
		return err
	}
	_, err = b.client.CoreV1().Services(object.Namespace).Patch(
		ctx, object.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the status of Service %s/%s: %w", object.Namespace, object.Name, err)
	}
	return nil
}

// endpoints returns the endpoints for one port of a Service: the ready ones, or else terminating ones that still serve.
// They are sorted and unique.
func endpoints(found []*discoveryv1.EndpointSlice, p corev1.ServicePort) []netip.AddrPort {
	var ready, serving []netip.AddrPort
	for _, slice := range found {
		for _, slicePort := range slice.Ports {
			if !isPort(slicePort, p) {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				for _, text := range endpoint.Addresses {
					address, err := netip.ParseAddr(text)
					if err != nil {
						continue // an FQDN
					}
					to := netip.AddrPortFrom(address, uint16(*slicePort.Port))
					switch {
					case endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready:
						ready = append(ready, to)
					case endpoint.Conditions.Serving != nil && *endpoint.Conditions.Serving:
						serving = append(serving, to)
					}
				}
			}
		}
	}
	if len(ready) == 0 {
		ready = serving
	}
	slices.SortFunc(ready, netip.AddrPort.Compare)
	return slices.Compact(ready)
}

func isPort(slicePort discoveryv1.EndpointPort, p corev1.ServicePort) bool {
	name, protocol := "", corev1.ProtocolTCP
	if slicePort.Name != nil {
		name = *slicePort.Name
	}
	if slicePort.Protocol != nil {
		protocol = *slicePort.Protocol
	}
	return slicePort.Port != nil && name == p.Name && protocol == p.Protocol
}
