package settings

import (
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/gatewayapi"
)

// pool returns the ports for Gateways with a Service of their own. It is empty if the endpoints of
// PUBLISH_SERVICE cannot be read, or Services cannot be written.
func pool(s Settings) gatewayapi.Pool {
	watched := len(s.WatchNamespaces) == 0 || slices.Contains(s.WatchNamespaces, s.PublishService.Namespace)
	if s.PublishService.Name == "" || !watched || !s.UpdateStatus || s.Manifests != "" {
		return nil
	}
	all := gatewayapi.Pool{}
	for _, listen := range s.KongListens {
		for port := listen.Ports.First; port <= listen.Ports.Last; port++ {
			if pooled(s, port) {
				all[protocol(listen)] = append(all[protocol(listen)], port)
			}
		}
	}
	return all
}

// listens returns the ports of Kong outside of the pool.
func listens(s Settings) (all []gatewayapi.Listen) {
	for _, listen := range s.KongListens {
		for port := listen.Ports.First; port <= listen.Ports.Last; port++ {
			if pooled(s, port) {
				continue
			}
			seen, mapped := s.PortMaps[port]
			if !mapped {
				seen = port
			}
			all = append(all, gatewayapi.Listen{Protocol: protocol(listen), Port: port, Seen: seen})
		}
	}
	return all
}

// assumedPorts returns the ports of PUBLISH_SERVICE if that Service cannot be read: 80 and 443 and
// those in Kong's port_maps for HTTP, and Kong's own ports for streams.
func assumedPorts(s Settings) map[gatewayv1.ProtocolType][]int32 {
	all := map[gatewayv1.ProtocolType][]int32{gatewayv1.HTTPProtocolType: {80}, gatewayv1.HTTPSProtocolType: {443}}
	for _, listen := range listens(s) {
		_, mapped := s.PortMaps[listen.Port]
		isHTTP := listen.Protocol == gatewayv1.HTTPProtocolType || listen.Protocol == gatewayv1.HTTPSProtocolType
		if (mapped || !isHTTP) && !slices.Contains(all[listen.Protocol], listen.Seen) {
			all[listen.Protocol] = append(all[listen.Protocol], listen.Seen)
		}
	}
	return all
}

func pooled(s Settings, port int32) bool {
	return slices.ContainsFunc(s.GatewayPorts, func(p Ports) bool { return p.Contains(port) })
}

// protocol returns the protocol of the Gateway listeners that a port of Kong can serve.
func protocol(listen Listen) gatewayv1.ProtocolType {
	switch {
	case listen.UDP:
		return gatewayv1.UDPProtocolType
	case listen.Stream && listen.TLS:
		return gatewayv1.TLSProtocolType
	case listen.Stream:
		return gatewayv1.TCPProtocolType
	case listen.TLS:
		return gatewayv1.HTTPSProtocolType
	}
	return gatewayv1.HTTPProtocolType
}
