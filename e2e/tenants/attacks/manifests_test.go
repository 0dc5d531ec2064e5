package attacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Namespaces. The operator's has the classes and the Gateway.
const (
	shop     = "shop"
	attacker = "attacker"
	operator = "infra"
)

// Creation times: the attacker's objects are younger than those of shop, unless an attack uses older.
const (
	createdShop     = "2024-06-01T00:00:00Z"
	createdAttacker = "2025-06-01T00:00:00Z"
	createdOlder    = "2023-06-01T00:00:00Z"
)

// older makes manifests of the attacker older than all of shop's.
func older(manifests string) string {
	return strings.ReplaceAll(manifests, createdAttacker, createdOlder)
}

// object starts a manifest. Annotations are "name=value", with konghq.com/ before the name
// unless it has a slash; labels are the same after a colon.
func object(apiVersion, kind, namespace, name string, annotations ...string) string {
	created := createdAttacker
	if namespace == shop || namespace == operator {
		created = createdShop
	}
	text := fmt.Sprintf("---\napiVersion: %s\nkind: %s\nmetadata:\n  name: %q\n  uid: %s\n  creationTimestamp: %q\n",
		apiVersion, kind, name, uuid.NewSHA1(uuid.NameSpaceDNS, []byte(kind+"/"+namespace+"/"+name)), created)
	if namespace != "" {
		text += fmt.Sprintf("  namespace: %s\n", namespace)
	}
	isLabel := func(a string) bool { return strings.HasPrefix(a, ":") }
	for what, all := range map[string][]string{
		"labels":      slices.DeleteFunc(slices.Clone(annotations), func(a string) bool { return !isLabel(a) }),
		"annotations": slices.DeleteFunc(slices.Clone(annotations), isLabel),
	} {
		if len(all) == 0 {
			continue
		}
		text += "  " + what + ":\n"
		for _, a := range all {
			name, value, _ := strings.Cut(strings.TrimPrefix(a, ":"), "=")
			if !strings.Contains(name, "/") && what == "annotations" {
				name = "konghq.com/" + name
			}
			text += fmt.Sprintf("    %s: %q\n", name, value)
		}
	}
	return text
}

// service returns a Service of port 80 with its endpoint.
func service(namespace, name, ip, port string, annotations ...string) string {
	addressType := "IPv4"
	if strings.Contains(ip, ":") {
		addressType = "IPv6"
	}
	return object("v1", "Service", namespace, name, annotations...) + "spec: {ports: [{name: http, port: 80}]}\n" +
		slice(namespace, name, addressType, ip, port)
}

// slice returns the EndpointSlice of the Service of the same name.
func slice(namespace, name, addressType, address, port string) string {
	return object("discovery.k8s.io/v1", "EndpointSlice", namespace, name, ":kubernetes.io/service-name="+name) +
		fmt.Sprintf("addressType: %s\nports: [{name: http, port: %s, protocol: TCP}]\nendpoints: [{addresses: [%q], conditions: {ready: true}}]\n",
			addressType, port, address)
}

func ingress(namespace, name, host, path, service string, annotations ...string) string {
	return object("networking.k8s.io/v1", "Ingress", namespace, name, annotations...) + fmt.Sprintf(`spec:
  ingressClassName: kong
  rules:
  - host: %q
    http: {paths: [{path: %q, pathType: Prefix, backend: {service: {name: %s, port: {number: 80}}}}]}
`, host, path, service)
}

// plugin returns a KongPlugin with a configuration in JSON.
func plugin(namespace, name, plugin, config string) string {
	return object("configuration.konghq.com/v1", "KongPlugin", namespace, name, "kubernetes.io/ingress.class=kong") +
		fmt.Sprintf("plugin: %s\nconfig: %s\n", plugin, config)
}

// consumer returns a KongConsumer with credentials in Secrets.
func consumer(namespace, name, username string, secrets []string, annotations ...string) string {
	return object("configuration.konghq.com/v1", "KongConsumer", namespace, name, append(annotations, "kubernetes.io/ingress.class=kong")...) +
		fmt.Sprintf("username: %q\ncredentials: [%s]\n", username, strings.Join(secrets, ", "))
}

// credential returns a Secret with a credential. Data are "name=value".
func credential(namespace, name, kind string, data ...string) string {
	return secret(namespace, name, data, ":konghq.com/credential="+kind)
}

func secret(namespace, name string, data []string, annotations ...string) string {
	text := object("v1", "Secret", namespace, name, annotations...) + "stringData:\n"
	for _, d := range data {
		name, value, _ := strings.Cut(d, "=")
		text += fmt.Sprintf("  %s: %q\n", name, value)
	}
	return text
}

// caSecret returns a Secret with the certificate of an authority and an id.
func caSecret(namespace, name, id, pem string) string {
	return secret(namespace, name, []string{"id=" + id, "ca.crt=" + pem}, ":konghq.com/ca-cert=true", "kubernetes.io/ingress.class=kong")
}

func tlsSecret(namespace, name, cert, key string) string {
	return secret(namespace, name, []string{"tls.crt=" + cert, "tls.key=" + key}) + "type: kubernetes.io/tls\n"
}

// httpRoute returns an HTTPRoute that is attached to the operator's Gateway, unless the rules say otherwise.
func httpRoute(namespace, name, host, rules string) string {
	return object("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, name) +
		fmt.Sprintf("spec:\n  parentRefs: [{name: web, namespace: %s}]\n  hostnames: [%q]\n  rules:\n%s", operator, host, rules)
}

// keyed returns a consumer with a key.
func keyed(namespace, name, key string, annotations ...string) string {
	return consumer(namespace, name, name, []string{name + "-key"}, annotations...) + credential(namespace, name+"-key", "key-auth", "key="+key)
}
