package anything

import (
	"fmt"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1alpha1 "github.com/kong/kubernetes-configuration/api/configuration/v1alpha1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	incubatorv1alpha1 "github.com/kong/kubernetes-configuration/api/incubator/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// plugins are names of plugins.
var plugins = []string{"key-auth", "rate-limiting", "request-termination", "request-transformer", "ip-restriction", "cors", "acl",
	"prometheus", "http-log", "file-log", "pre-function", "jwt", "basic-auth", "oauth2", "kube-sync-http", "no-such-plugin", ""}

func (d *draw) name() string { return fmt.Sprint("o", d.below(4)) }

// mostly returns true three times in four.
func (d *draw) mostly() bool { return d.below(4) > 0 }

// mend changes most parts of an object so that they pass the first checks: the object is of the
// gateway's class, it names existing objects, and fields that exclude each other are not both set.
func (d *draw) mend(object unit.Object) {
	class := "kong"
	switch o := object.(type) {
	case *networkingv1.Ingress:
		if o.Spec.IngressClassName = nil; d.mostly() {
			o.Spec.IngressClassName = &class
		}
		for i := range o.Spec.Rules {
			d.mendRule(&o.Spec.Rules[i])
		}
		for i := range o.Spec.TLS {
			o.Spec.TLS[i].SecretName = d.name()
		}
		if o.Spec.DefaultBackend != nil {
			d.mendBackend(o.Spec.DefaultBackend)
		}
	case *corev1.Service:
		d.mendService(o)
	case *discoveryv1.EndpointSlice:
		d.mendSlice(o)
	case *corev1.Secret:
		d.mendSecret(o)
	case *corev1.ConfigMap:
		o.Data = map[string]string{"id": "3f4f0a9e-0000-4000-8000-00000000000b", "ca.crt": string(pick(d, certificates[2:]...))}
	case *gatewayv1.GatewayClass:
		o.Spec.ControllerName, o.Spec.ParametersRef = "konghq.com/kic-gateway-controller", nil
	case *gatewayv1.Gateway:
		d.mendGateway(o)
	case *gatewayv1.HTTPRoute:
		d.mendParents(&o.Spec.CommonRouteSpec)
		for i := range o.Spec.Rules {
			d.mendHTTPRule(&o.Spec.Rules[i])
		}
	case *gatewayv1.GRPCRoute:
		d.mendParents(&o.Spec.CommonRouteSpec)
		for i := range o.Spec.Rules {
			for j := range o.Spec.Rules[i].BackendRefs {
				d.mendRef(&o.Spec.Rules[i].BackendRefs[j].BackendRef)
			}
		}
	default:
		d.mendKong(object)
	}
}

// mendKong is mend for Kong's kinds.
func (d *draw) mendKong(object unit.Object) {
	switch o := object.(type) {
	case *configurationv1.KongPlugin:
		d.mendPlugin(&o.PluginName, &o.Config)
		if d.mostly() {
			o.ConfigFrom, o.ConfigPatches = nil, nil
		}
	case *configurationv1.KongClusterPlugin:
		d.mendPlugin(&o.PluginName, &o.Config)
		if d.mostly() {
			o.ConfigFrom, o.ConfigPatches = nil, nil
		}
	case *configurationv1.KongConsumer:
		o.Credentials = []string{d.name(), d.name()}
		if d.mostly() {
			o.Username = pick(d, "ann", "bob", "ann@example.com", "a b")
		}
	case *configurationv1alpha1.KongCustomEntity:
		if o.Spec.ControllerName = "kong"; d.mostly() {
			o.Spec.EntityType = pick(d, "key_sets", "keys", "filter_chains", "parameters", "no_such_type")
			o.Spec.Fields = apiextensionsv1.JSON{Raw: []byte(pick(d, `{"name":"a"}`, `{}`, `{"name":5}`, `{"name":"a","filters":[{"name":"x"}]}`, `{"id":"x"}`))}
		}
		if o.Spec.ParentRef != nil && d.mostly() {
			o.Spec.ParentRef = &configurationv1alpha1.ObjectReference{Name: d.name()}
		}
	case *configurationv1alpha1.KongVault:
		if d.mostly() {
			o.Spec.Backend, o.Spec.Prefix = pick(d, "env", "hcv", "x"), pick(d, "mine", "env", "o-0", "a b")
			o.Spec.Config = apiextensionsv1.JSON{Raw: []byte(pick(d, `{"prefix":"X"}`, `{}`, `{"a":1}`, `{"prefix":5}`))}
		}
	case *configurationv1beta1.TCPIngress:
		for i := range o.Spec.Rules {
			o.Spec.Rules[i].Port, o.Spec.Rules[i].Host = 9000+d.below(3), pick(d, "", "a.example", "b.example", "*.example")
			o.Spec.Rules[i].Backend = configurationv1beta1.IngressBackend{ServiceName: d.name(), ServicePort: 80}
		}
		for i := range o.Spec.TLS {
			o.Spec.TLS[i].SecretName = d.name()
		}
	case *configurationv1beta1.UDPIngress:
		for i := range o.Spec.Rules {
			o.Spec.Rules[i].Port = 9000 + d.below(3)
			o.Spec.Rules[i].Backend = configurationv1beta1.IngressBackend{ServiceName: d.name(), ServicePort: 80}
		}
	case *incubatorv1alpha1.KongServiceFacade:
		o.Spec.Backend = incubatorv1alpha1.KongServiceFacadeBackend{Name: d.name(), Port: 80}
	}
}

func (d *draw) mendPlugin(name *string, config *apiextensionsv1.JSON) {
	*name = pick(d, plugins...)
	if d.mostly() {
		config.Raw = []byte(pick(d, configs...))
	}
}

func (d *draw) mendRule(r *networkingv1.IngressRule) {
	if d.mostly() {
		r.Host = pick(d, "", "a.example", "*.example", "b.a.example")
	}
	if r.HTTP == nil {
		return
	}
	for i := range r.HTTP.Paths {
		p := &r.HTTP.Paths[i]
		kind := pick(d, networkingv1.PathTypePrefix, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific)
		p.PathType = &kind
		d.mendBackend(&p.Backend)
	}
}

func (d *draw) mendBackend(b *networkingv1.IngressBackend) {
	group := incubatorv1alpha1.SchemeGroupVersion.Group
	switch d.below(6) {
	case 4:
		*b = networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{APIGroup: &group, Kind: "KongServiceFacade", Name: d.name()}}
	case 5:
	default:
		*b = networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: d.name(), Port: networkingv1.ServiceBackendPort{Number: 80}}}
	}
}

func (d *draw) mendService(s *corev1.Service) {
	if d.mostly() {
		s.Spec.Type = corev1.ServiceTypeClusterIP
		s.Spec.Ports = []corev1.ServicePort{{Name: pick(d, "http", ""), Port: 80}}
	}
}

func (d *draw) mendSlice(s *discoveryv1.EndpointSlice) {
	name, port := pick(d, "http", ""), int32(8080)
	s.Ports = []discoveryv1.EndpointPort{{Name: &name, Port: &port}}
	for i := range s.Endpoints {
		if d.mostly() {
			s.Endpoints[i].Addresses = []string{pick(d, "10.0.0.1", "10.0.0.2", "fd00::1", "a_b", "x/y", "127.0.0.1")}
			s.Endpoints[i].Conditions = discoveryv1.EndpointConditions{}
		}
	}
}

func (d *draw) mendSecret(s *corev1.Secret) {
	if s.Data == nil {
		s.Data = map[string][]byte{}
	}
	if d.mostly() {
		s.Data["tls.crt"], s.Data["tls.key"] = []byte(certPEM), []byte(keyPEM)
	}
	s.Data["id"], s.Data["ca.crt"] = []byte("3f4f0a9e-0000-4000-8000-00000000000a"), pick(d, certificates[2:]...)
	for _, name := range []string{"key", "username", "password", "secret", "group", "name", "client_id", "client_secret", "redirect_uris"} {
		if d.below(8) > 0 {
			s.Data[name] = d.bytes()
		}
	}
}

func (d *draw) mendGateway(g *gatewayv1.Gateway) {
	g.Spec.GatewayClassName, g.Spec.Infrastructure = gatewayv1.ObjectName(pick(d, "kong", "kong", "o0")), nil
	for i := range g.Spec.Listeners {
		l := &g.Spec.Listeners[i]
		l.Name = gatewayv1.SectionName(fmt.Sprint("l", i))
		if l.Port = 80; l.Protocol == gatewayv1.HTTPSProtocolType {
			l.Port = 443
		}
		if l.AllowedRoutes != nil && d.mostly() {
			l.AllowedRoutes = nil
		}
		if l.TLS != nil {
			for j := range l.TLS.CertificateRefs {
				l.TLS.CertificateRefs[j] = gatewayv1.SecretObjectReference{Name: gatewayv1.ObjectName(d.name())}
			}
		}
	}
}

func (d *draw) mendParents(s *gatewayv1.CommonRouteSpec) {
	if d.mostly() {
		s.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(pick(d, "gw", "o0"))}}
	}
}

func (d *draw) mendRef(r *gatewayv1.BackendRef) {
	if port := gatewayv1.PortNumber(80); d.mostly() {
		r.Group, r.Kind, r.Namespace, r.Name, r.Port = nil, nil, nil, gatewayv1.ObjectName(d.name()), &port
	}
}

func (d *draw) mendHTTPRule(r *gatewayv1.HTTPRouteRule) {
	for i := range r.BackendRefs {
		if d.mendRef(&r.BackendRefs[i].BackendRef); d.mostly() {
			r.BackendRefs[i].Filters = nil
		}
	}
	if d.mostly() {
		r.Timeouts, r.Retry, r.SessionPersistence = nil, nil, nil
	}
	if d.below(2) == 0 {
		r.Filters = nil
	}
}
