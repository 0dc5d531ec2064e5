package anything

import (
	"fmt"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	configurationv1beta1 "github.com/kong/kubernetes-configuration/api/configuration/v1beta1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Population returns valid objects that others may refer to. [Objects] may replace them.
func Population() []unit.Change {
	var changes []unit.Change
	add := func(kind unit.Kind, object unit.Object) {
		object.SetUID(types.UID(fmt.Sprintf("00000000-0000-4000-9000-%012x", len(changes))))
		changes = append(changes, there(kind, object))
	}
	class := map[string]string{"kubernetes.io/ingress.class": "kong"}
	algorithm := "least-connections"
	for i := range 2 {
		meta := metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint("o", i), Annotations: class}
		add(unit.Service, &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}})
		name, port := "http", int32(8080)
		slice := &discoveryv1.EndpointSlice{ObjectMeta: meta, Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{fmt.Sprint("10.1.0.", i)}}}}
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: meta.Name}
		add(unit.EndpointSlice, slice)
		secret := &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"tls.crt": []byte(certPEM), "tls.key": []byte(keyPEM), "ca.crt": []byte(caPEM),
			"id": []byte("3f4f0a9e-0000-4000-8000-00000000000a"), "key": []byte(fmt.Sprint("key-", i))}}
		secret.Labels = map[string]string{"konghq.com/credential": "key-auth"}
		add(unit.Secret, secret)
		add(unit.KongPlugin, &configurationv1.KongPlugin{ObjectMeta: meta, PluginName: []string{"key-auth", "rate-limiting"}[i],
			Config: apiextensionsv1.JSON{Raw: []byte([]string{`{}`, `{"minute":5}`}[i])}})
		add(unit.KongConsumer, &configurationv1.KongConsumer{ObjectMeta: meta, Username: fmt.Sprint("consumer-", i), Credentials: []string{meta.Name}})
		add(unit.KongUpstreamPolicy, &configurationv1beta1.KongUpstreamPolicy{ObjectMeta: meta, Spec: configurationv1beta1.KongUpstreamPolicySpec{Algorithm: &algorithm}})
	}
	return changes
}
