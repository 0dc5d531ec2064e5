package hostile

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"

	configurationv1 "github.com/kong/kubernetes-configuration/api/configuration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/kube-sync/kube-sync/e2e/anything"
	"github.com/kube-sync/kube-sync/translate/unit"
)

func ofNumbers() []Attack {
	consumer := &configurationv1.KongConsumer{ObjectMeta: meta("consumer"), Username: "hostile"}
	consumer.Annotations = map[string]string{"kubernetes.io/ingress.class": "kong"}
	credentials := []unit.Change{change(consumer)}
	for i := range 20_000 {
		s := secret(fmt.Sprintf("c%d", i), "key", fmt.Sprint("hostile-key-", i))
		s.Labels = map[string]string{"konghq.com/credential": "key-auth"}
		consumer.Credentials = append(consumer.Credentials, s.Name)
		credentials = append(credentials, change(s))
	}
	missing := &configurationv1.KongConsumer{ObjectMeta: meta("missing"), Username: "hostile-missing"}
	missing.Annotations = consumer.Annotations
	for i := range 50_000 {
		missing.Credentials = append(missing.Credentials, fmt.Sprintf("m%d", i))
	}
	services := ingress("services", 15_000)
	for i := range services.Spec.Rules[0].HTTP.Paths {
		services.Spec.Rules[0].HTTP.Paths[i].Backend.Service.Name = fmt.Sprintf("s%d", i)
	}
	certificates := ingress("certificates", 1)
	cert, key := anything.KeyPair()
	pair := secret("pair", corev1.TLSCertKey, cert)
	pair.Data[corev1.TLSPrivateKeyKey] = []byte(key)
	tls := networkingv1.IngressTLS{SecretName: "pair"}
	for i := range 50_000 {
		tls.Hosts = append(tls.Hosts, fmt.Sprintf("h%d.hostile.example", i))
	}
	certificates.Spec.TLS = []networkingv1.IngressTLS{tls}
	slow := ingress("key", 1)
	slow.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"key.hostile.example"}, SecretName: "key"}}
	long := secret("key", corev1.TLSCertKey, cert)
	long.Data[corev1.TLSPrivateKeyKey] = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: rsaKey(300_000)})
	return []Attack{
		{"a private key with 1 200 000 bits", []unit.Change{change(slow), change(long), change(service("web"))}, "bytes in DER"},
		{"20 000 credentials", credentials, "LIMIT_OBJECT_ENTITIES"},
		{"50 000 credentials that do not exist", []unit.Change{change(missing)}, "more problems"},
		{"15 000 Services that do not exist", []unit.Change{change(services)}, "LIMIT_OBJECT_ENTITIES"},
		{"50 000 hosts of a certificate", []unit.Change{change(certificates), change(pair), change(service("web"))}, "LIMIT_OBJECT_ENTITIES"},
		{"50 000 endpoints at 20 ports", endpoints(), "endpoints are used: the setting"},
	}
}

// rsaKey returns an RSA key in PKCS #1 whose factors have a number of bytes. It is invalid, and it takes long to find
// that out.
func rsaKey(bytes int) []byte {
	odd := func(n int) *big.Int {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i*7 | 1)
		}
		return new(big.Int).SetBytes(b)
	}
	p, q := odd(bytes/4), odd(bytes/4)
	der, err := asn1.Marshal(struct {
		Version                  int
		N                        *big.Int
		E                        int
		D, P, Q, Dp, Dq, Inverse *big.Int
	}{0, new(big.Int).Mul(p, q), 65537, odd(bytes / 2), p, q, p, q, p})
	if err != nil {
		panic(err) // numbers
	}
	return der
}

func endpoints() []unit.Change {
	o, s := ingress("endpoints", 20), service("web")
	s.Spec.Ports = nil
	var ports []discoveryv1.EndpointPort
	for i := range 20 {
		name, port := fmt.Sprintf("p%d", i), int32(8000+i)
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: name, Port: port})
		ports = append(ports, discoveryv1.EndpointPort{Name: &name, Port: &port})
		o.Spec.Rules[0].HTTP.Paths[i].Backend.Service.Port = networkingv1.ServiceBackendPort{Number: port}
	}
	changes := []unit.Change{change(o), change(s)}
	for i := range 50 {
		slice := &discoveryv1.EndpointSlice{ObjectMeta: meta(fmt.Sprintf("web-%d", i)), AddressType: discoveryv1.AddressTypeIPv4, Ports: ports}
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: "web"}
		for j := range 1000 {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{fmt.Sprintf("10.%d.%d.%d", 100+i, j/250, j%250+1)}})
		}
		changes = append(changes, change(slice))
	}
	return changes
}
