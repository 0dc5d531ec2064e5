package builtin

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/discovery"
	discoveryv1 "k8s.io/kubernetes/pkg/apis/discovery/v1"
	discoveryvalidation "k8s.io/kubernetes/pkg/apis/discovery/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingv1 "k8s.io/kubernetes/pkg/apis/networking/v1"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	kjson "sigs.k8s.io/json"
)

// scheme has the served and the internal types, the defaults and the conversions.
var scheme = newScheme()

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		core.AddToScheme, corev1.AddToScheme, discovery.AddToScheme, discoveryv1.AddToScheme, networking.AddToScheme, networkingv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			panic(err) // registering the same types fails always or never
		}
	}
	return s
}

// Admit returns the reasons for which an API server would refuse an object, which is JSON. Errors
// about a field are of type [*field.Error], or of type [sigs.k8s.io/json.FieldError] if it is
// unknown. An object without a namespace is taken as one of the namespace default. For an object of
// another kind it returns nil.
func Admit(gvk schema.GroupVersionKind, object []byte) (refused []error) {
	if !scheme.Recognizes(gvk) {
		return nil
	}
	served, err := scheme.New(gvk)
	if err != nil {
		return []error{err}
	}
	unknown, err := kjson.UnmarshalStrict(object, served)
	if err != nil {
		return []error{undecodable(gvk, object, err)}
	}
	scheme.Default(served)
	internal, err := scheme.ConvertToVersion(served, runtime.InternalGroupVersioner)
	if err != nil {
		return append(unknown, fmt.Errorf("converting the %s: %w", gvk.Kind, err))
	}
	seen := map[string]bool{} // some rules find a fault twice
	for _, wrong := range validate(internal) {
		if text := wrong.Error(); !seen[text] {
			seen[text] = true
			unknown = append(unknown, wrong)
		}
	}
	return unknown
}

// validate returns what is wrong with an object when it is created.
func validate(object runtime.Object) field.ErrorList {
	if meta, ok := object.(metav1.Object); ok && meta.GetNamespace() == "" {
		meta.SetNamespace(metav1.NamespaceDefault)
	}
	switch o := object.(type) {
	case *networking.Ingress:
		return networkingvalidation.ValidateIngressCreate(o)
	case *networking.IngressClass:
		o.Namespace = ""
		return networkingvalidation.ValidateIngressClass(o)
	case *discovery.EndpointSlice:
		return discoveryvalidation.ValidateEndpointSliceCreate(o)
	case *core.Namespace:
		o.Namespace = ""
		return validation.ValidateNamespace(o)
	case *core.Secret:
		return validation.ValidateSecret(o)
	case *core.ConfigMap:
		return validation.ValidateConfigMap(o)
	case *core.Service:
		return validateService(o)
	}
	return nil
}

// validateService sets and clears what an API server does before it validates a Service. If the cluster IPs
// are wrong, it says nothing else.
func validateService(s *core.Service) field.ErrorList {
	s.Status = core.ServiceStatus{}
	if len(s.Spec.ClusterIPs) == 0 && s.Spec.ClusterIP != "" {
		s.Spec.ClusterIPs = []string{s.Spec.ClusterIP}
	}
	if s.Spec.Type != core.ServiceTypeExternalName {
		if s.Spec.IPFamilyPolicy == nil {
			policy := core.IPFamilyPolicySingleStack
			if s.Spec.ClusterIP == core.ClusterIPNone && len(s.Spec.Selector) == 0 {
				policy = core.IPFamilyPolicyRequireDualStack
			}
			s.Spec.IPFamilyPolicy = &policy
		}
		if wrong := validation.ValidateServiceClusterIPsRelatedFields(s, nil); len(wrong) > 0 {
			return wrong
		}
	}
	return validation.ValidateServiceCreate(s)
}
