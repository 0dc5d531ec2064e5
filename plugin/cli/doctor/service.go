package doctor

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// service examines the Service in front of the gateway: its address, its ports and its endpoints.
func (d Doctor) service(ctx context.Context, p Patient) []Finding {
	f := findings{area: "service"}
	published := p.Settings.PublishService
	if published.Name == "" {
		if len(p.Settings.PublishStatusAddresses) > 0 {
			f.ok("statuses have the addresses of PUBLISH_STATUS_ADDRESS")
		} else {
			f.add(Warning, "set PUBLISH_SERVICE to the Service in front of the gateway",
				"neither PUBLISH_SERVICE nor PUBLISH_STATUS_ADDRESS is set: Ingresses and Gateways get no address")
		}
		return f.all
	}
	service, err := d.Clients.Core.CoreV1().Services(published.Namespace).Get(ctx, published.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		f.add(Failure, "create it, or correct PUBLISH_SERVICE", "Service %s does not exist: Ingresses and Gateways get no address", published)
		return f.all
	case err != nil:
		f.unread("the Service "+published.String(), err)
		return f.all
	}
	f.address(service)
	f.ports(service, p.Pods)
	d.endpoints(ctx, &f, published)
	return f.all
}

// address examines whether clients outside of the cluster can reach a Service.
func (f *findings) address(service *corev1.Service) {
	name := fmt.Sprintf("Service %s/%s", service.Namespace, service.Name)
	var addresses []string
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		addresses = append(addresses, ingress.IP+ingress.Hostname)
	}
	addresses = append(addresses, service.Spec.ExternalIPs...)
	switch {
	case len(addresses) > 0:
		f.ok("%s has the addresses %v", name, addresses)
	case service.Spec.Type == corev1.ServiceTypeLoadBalancer:
		f.add(Failure, "look at kubectl describe service; without a load balancer in the cluster, use proxy.type=NodePort",
			"%s waits for an address of a load balancer", name)
	case service.Spec.Type == corev1.ServiceTypeNodePort:
		f.ok("%s is reached at ports of the nodes", name)
	default:
		f.add(Warning, "set proxy.type to LoadBalancer or NodePort if clients are outside", "%s is reached only from inside the cluster", name)
	}
}

// ports examines whether the pods open the ports that a Service leads to.
func (f *findings) ports(service *corev1.Service, all []corev1.Pod) {
	if len(all) == 0 {
		return
	}
	var open []corev1.ContainerPort
	for _, container := range all[len(all)-1].Spec.Containers {
		open = append(open, container.Ports...)
	}
	closed := 0
	for _, port := range service.Spec.Ports {
		opened := slices.ContainsFunc(open, func(c corev1.ContainerPort) bool {
			if protocol := c.Protocol; protocol != port.Protocol && (protocol != "" || port.Protocol != corev1.ProtocolTCP) {
				return false
			}
			if port.TargetPort.Type == intstr.String {
				return c.Name == port.TargetPort.StrVal
			}
			return c.ContainerPort == port.TargetPort.IntVal
		})
		if !opened {
			closed++
			f.add(Failure, "correct targetPort of the Service, or open the port: ports.streams in the chart, proxy_listen or stream_listen in Kong",
				"Service %s/%s: port %d leads to port %s of the pods, which the container does not declare", service.Namespace, service.Name, port.Port, port.TargetPort.String())
		}
	}
	if closed == 0 {
		f.ok("the pods open all %d ports that the Service leads to", len(service.Spec.Ports))
	}
}

// endpoints examines whether a Service has ready endpoints.
func (d Doctor) endpoints(ctx context.Context, f *findings, service types.NamespacedName) {
	slicesOf := labels.Set{discoveryv1.LabelServiceName: service.Name}.String()
	list, err := d.Clients.Core.DiscoveryV1().EndpointSlices(service.Namespace).List(ctx, metav1.ListOptions{LabelSelector: slicesOf})
	if err != nil {
		f.unread("the endpoints of Service "+service.String(), err)
		return
	}
	ready := 0
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				ready++
			}
		}
	}
	if ready == 0 {
		f.add(Failure, "compare its selector with the labels of the pods, and look at the pods", "Service %s has no ready endpoint", service)
	} else {
		f.ok("Service %s has %d ready endpoints", service, ready)
	}
}
