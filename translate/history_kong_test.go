package translate_test

import (
	"fmt"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// attach makes an object name plugins, sometimes.
func (w *world) attach(object metav1.Object) {
	if names := pick(w, "", "", "o0", "o1, o2", "elsewhere:o3"); names != "" {
		object.SetAnnotations(map[string]string{"konghq.com/plugins": names})
	}
}

// plugin returns a KongPlugin or, sometimes, a KongClusterPlugin, which may be global.
func (w *world) plugin(name string) unit.Object {
	plugin, config := pick(w, "key-auth", "rate-limiting", "pre-function", "prometheus"), apiextensionsv1.JSON{Raw: []byte(pick(w, `{}`, `{"a":1}`, `[]`))}
	if w.IntN(3) == 0 {
		p := &configurationv1.KongClusterPlugin{ObjectMeta: meta(name), PluginName: plugin, Config: config}
		p.Namespace, p.CreationTimestamp = "", metav1.Unix(int64(1000+w.IntN(3)), 0)
		p.Labels = map[string]string{"global": pick(w, "true", "false")}
		p.Annotations = map[string]string{"kubernetes.io/ingress.class": pick(w, "kong", "other")}
		return p
	}
	p := &configurationv1.KongPlugin{ObjectMeta: meta(name), PluginName: plugin, Config: config}
	from := configurationv1.SecretValueFromSource{Secret: fmt.Sprintf("o%d", w.IntN(4)), Key: "key"}
	switch w.IntN(4) {
	case 0:
		p.Config, p.ConfigFrom = apiextensionsv1.JSON{}, &configurationv1.ConfigSource{SecretValue: from}
	case 1:
		p.ConfigPatches = []configurationv1.ConfigPatch{{Path: pick(w, "/x", "/a/b", "no"), ValueFrom: configurationv1.ConfigSource{SecretValue: from}}}
	}
	return p
}

func (w *world) consumer(name string) unit.Object {
	c := &configurationv1.KongConsumer{ObjectMeta: meta(name)}
	c.Username, c.CustomID = pick(w, "ann", "bob", ""), pick(w, "1", "")
	c.CreationTimestamp = metav1.Unix(int64(1000+w.IntN(3)), 0)
	w.attach(c)
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	if class := pick(w, "kong", "kong", "other", ""); class != "" {
		c.Annotations["kubernetes.io/ingress.class"] = class
	}
	for range w.IntN(3) {
		c.Credentials = append(c.Credentials, fmt.Sprintf("o%d", w.IntN(4)))
	}
	return c
}
