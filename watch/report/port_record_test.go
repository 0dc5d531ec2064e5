package report

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	clienttesting "k8s.io/client-go/testing"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/owned"
	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/cluster"
	"github.com/kube-sync/kube-sync/watch/internal/watchtest"
)

// withGateways is a cluster whose cache has every Gateway.
type withGateways struct{ *cluster.Cluster }

func (c withGateways) Get(key unit.Key) unit.Object {
	if key.Kind == unit.Gateway {
		return &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	}
	return c.Cluster.Get(key)
}

// The Service of a Gateway is written once the record has its ports. It is not written if the
// record conflicts with a newer version or may not be written.
func TestServicesWaitForTheRecordOfTheirPorts(t *testing.T) {
	configMaps := schema.GroupResource{Resource: "configmaps"}
	gateway := unit.Key{Kind: unit.Gateway, Namespace: "shop", Name: "web"}
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-kong"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http-80", Port: 80, TargetPort: intstr.FromInt32(20000)}}},
	}
	record := func(data map[string]string) *corev1.ConfigMap {
		return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "kong", Name: "kong-proxy-gateway-ports", ResourceVersion: "7"}, Data: data}
	}
	own := map[string]string{"20000": "http-80 of shop/web-kong"}
	for name, test := range map[string]struct {
		record  *corev1.ConfigMap
		answer  error
		written bool
		denied  string
		again   bool
	}{
		"no record":                     {nil, nil, false, "", false},
		"a record":                      {record(own), nil, true, "", false},
		"a record with another Gateway": {record(map[string]string{"20000": "http-80 of shop/other-kong"}), nil, false, "", false},
		"a record with another port":    {record(map[string]string{"20001": "http-80 of shop/web-kong"}), nil, false, "", false},
		"a newer version":               {record(own), apierrors.NewConflict(configMaps, "r", errors.New("newer")), false, "", true},
		"an API server that fails":      {record(own), errors.New("broken"), false, "", true},
		"no right":                      {record(own), apierrors.NewForbidden(configMaps, "r", errors.New("no")), false, "gatewayservices", true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakes()
			var patched []string
			f.Dynamic.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
				patch := action.(clienttesting.PatchAction)
				if patch.GetResource().Resource == "configmaps" {
					if !strings.Contains(string(patch.GetPatch()), `"resourceVersion":"7"`) {
						t.Errorf("the record would replace any version: %s", patch.GetPatch())
					}
					if test.answer != nil {
						return true, nil, test.answer
					}
				}
				patched = append(patched, patch.GetResource().Resource)
				return true, &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"resourceVersion": "8"}}}, nil
			})
			o := newOwnedServices(withGateways{f.cluster(t)}, watchtest.Quiet())
			o.report(Report{Object: gateway, Owned: []unit.Object{service}})
			o.process(t.Context(), gateway)
			if len(patched) > 0 {
				t.Errorf("%v are written without a record", patched)
			}
			if test.record != nil {
				o.report(Report{Object: owned.Ports, Owned: []unit.Object{test.record}, Gone: true})
			}
			if again := o.ports.process(t.Context(), owned.Ports); again != test.again {
				t.Errorf("the record is written again: %t, want %t", again, test.again)
			}
			o.process(t.Context(), gateway)
			if written := slices.Contains(patched, "services"); written != test.written {
				t.Errorf("the Service is written: %t, want %t; %v", written, test.written, patched)
			}
			if denied := o.deniedTo(gateway); !strings.Contains(denied, test.denied) || (denied == "") != (test.denied == "") {
				t.Errorf("the Gateway is denied with %q, want %q", denied, test.denied)
			}
		})
	}
}
