package hostile

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// Namespace is the namespace of all objects.
const Namespace = "hostile"

// Attack is some objects with one purpose.
type Attack struct {
	// Name says what the objects do.
	Name string
	// Objects are all in [Namespace].
	Objects []unit.Change
	// Told is a part of the diagnostics for the owner.
	Told string
}

// Attacks returns all attacks. Each is used without the others.
func Attacks() []Attack {
	return append(append(ofRoutes(), ofPlugins()...), ofNumbers()...)
}

// AtLimits returns objects that are as large as the limits permit.
func AtLimits() []Attack {
	deep := plugin("nested", "key-auth", map[string]any{})
	deep.Config.Raw = []byte(`{"key_names":` + strings.Repeat("[", limit.Depth-1) + strings.Repeat("]", limit.Depth-1) + `}`)
	return []Attack{
		{Name: "100 routes of 990 comparisons", Objects: []unit.Change{change(service("web")), change(ingress("compared", 100, "headers.x", list(4_850, "%04d")))}},
		{Name: "routes with regular expressions of 2 MB", Objects: []unit.Change{change(service("web")), change(regexes(ingress("wide", 100), `\w{30}`))}},
		{Name: "a string of 64 KB", Objects: with(plugin("long", "request-termination", map[string]any{"body": strings.Repeat("x", 65_536), "content_type": "text/plain"}), 10)},
		{Name: "64 lists in one another", Objects: with(deep, 10)},
		{Name: "an account_email of 1 KB", Objects: with(plugin("mail", "acme", map[string]any{"account_email": strings.Repeat("a", 1024)}), 10)},
	}
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: Namespace, Name: name, UID: types.UID("hostile-" + name), CreationTimestamp: metav1.Unix(2000000000, 0)}
}

func change(object unit.Object) unit.Change {
	kind := unit.Kind(reflect.TypeOf(object).Elem().Name())
	return unit.Change{Key: unit.Key{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}, Object: object}
}

// ingress returns an Ingress with a number of paths and annotations of konghq.com. With several
// services, each path has its own.
func ingress(name string, paths int, annotations ...string) *networkingv1.Ingress {
	class, prefix := "kong", networkingv1.PathTypePrefix
	o := &networkingv1.Ingress{ObjectMeta: meta(name)}
	o.Annotations = map[string]string{}
	for i := 0; i+1 < len(annotations); i += 2 {
		o.Annotations["konghq.com/"+annotations[i]] = annotations[i+1]
	}
	var http networkingv1.HTTPIngressRuleValue
	for i := range paths {
		http.Paths = append(http.Paths, networkingv1.HTTPIngressPath{Path: fmt.Sprintf("/%d", i), PathType: &prefix,
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}})
	}
	o.Spec = networkingv1.IngressSpec{IngressClassName: &class, Rules: []networkingv1.IngressRule{{Host: name + ".hostile.example",
		IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &http}}}}
	return o
}

// regexes turns the paths of an Ingress into regular expressions.
func regexes(o *networkingv1.Ingress, regex string) *networkingv1.Ingress {
	kind := networkingv1.PathTypeImplementationSpecific
	for i := range o.Spec.Rules[0].HTTP.Paths {
		path := &o.Spec.Rules[0].HTTP.Paths[i]
		path.Path, path.PathType = fmt.Sprintf("/~/%d%s", i, regex), &kind
	}
	return o
}

func service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: meta(name), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}}
}

func plugin(name, of string, config any) *configurationv1.KongPlugin {
	encoded, err := json.Marshal(config)
	if err != nil {
		panic(err) // strings and lists
	}
	return &configurationv1.KongPlugin{ObjectMeta: meta(name), PluginName: of, Config: apiextensionsv1.JSON{Raw: encoded}}
}

func secret(name, key, value string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: meta(name), Data: map[string][]byte{key: []byte(value)}}
}
