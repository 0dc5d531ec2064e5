package attacks

import "fmt"

// references are attacks by objects that refer to objects of another namespace, or have their names.
func references() []attack {
	return []attack{
		{
			name:  "a consumer names another namespace's key-auth",
			steps: []string{keyed(attacker, "mallory", malloryKey, "plugins=shop:auth")},
			told:  []string{"KongConsumer attacker/mallory"},
		}, {
			name:  "a consumer names another namespace's ip-restriction and acl",
			steps: []string{keyed(attacker, "mallory", malloryKey, "plugins=shop:office,shop:members")},
			told:  []string{"KongConsumer attacker/mallory"},
		}, {
			name: "a consumer names a plugin of the operator",
			steps: []string{keyed(attacker, "mallory", malloryKey, "plugins=guard") +
				ingress(attacker, "guarded", "guarded.attacker.test", "/", "web", "plugins=guard")},
		}, {
			name:  "a consumer group names another namespace's plugin",
			steps: []string{group("plugins=shop:limit")},
			told:  []string{"KongConsumerGroup attacker/group"},
		}, {
			name:  "an Ingress names another namespace's plugins",
			steps: []string{ingress(attacker, "taker", "taker.attacker.test", "/", "web", "plugins=shop:auth,shop:office,shop:limit")},
			told:  []string{"Ingress attacker/taker"},
		}, {
			name: "a Service names another namespace's plugins",
			steps: []string{service(attacker, "taker", strangerIP, backendPort, "plugins=shop:auth,shop:limit") +
				ingress(attacker, "taker", "taker.attacker.test", "/", "taker")},
			told: []string{"Service attacker/taker"},
		}, {
			name: "an HTTPRoute names another namespace's Service",
			steps: []string{httpRoute(attacker, "taker", "taker.attacker.test", `
  - backendRefs: [{name: web, namespace: shop, port: 80}]
`)},
			told: []string{"HTTPRoute attacker/taker"},
		}, {
			name:  "a Gateway names another namespace's certificate",
			steps: []string{gatewayOf("taker", `{name: https, port: 443, protocol: HTTPS, hostname: taker.attacker.test, tls: {certificateRefs: [{name: shop-tls, namespace: shop}]}}`)},
			told:  []string{"Gateway attacker/taker"},
		}, {
			name:  "a custom entity names another namespace's plugin",
			steps: []string{customEntity("child", "degraphql_routes", `{"uri": "/x", "query": "{x}"}`, "parentRef: {group: configuration.konghq.com, kind: KongPlugin, namespace: shop, name: auth}")},
			told:  []string{"KongCustomEntity attacker/child"},
		},
		namesThatRunTogether("httproute", "shop.api", "api", "shop.test.0"),
		namesThatRunTogether("tcproute", "shop.stream", "web", "0"),
	}
}

func group(annotations ...string) string {
	return object("configuration.konghq.com/v1beta1", "KongConsumerGroup", attacker, "group", append(annotations, "kubernetes.io/ingress.class=kong")...)
}

func gatewayOf(name, listeners string) string {
	return object("gateway.networking.k8s.io/v1", "Gateway", attacker, name) +
		fmt.Sprintf("spec:\n  gatewayClassName: kong\n  listeners: [%s]\n", listeners)
}

func customEntity(name, kind, fields, more string) string {
	return object("configuration.konghq.com/v1alpha1", "KongCustomEntity", attacker, name) +
		fmt.Sprintf("spec:\n  type: %s\n  controllerName: kong\n  fields: %s\n  %s\n", kind, fields, more)
}

// namesThatRunTogether is an attack by an Ingress in a namespace with the name with which Kong's entities of another
// kind start, so that the names of routes and services would be the same.
func namesThatRunTogether(namespace, name, backend, host string) attack {
	return attack{
		name: "a namespace called " + namespace,
		steps: []string{service(namespace, backend, strangerIP, backendPort) +
			object("networking.k8s.io/v1", "Ingress", namespace, name) + fmt.Sprintf(`spec:
  ingressClassName: kong
  rules:
  - host: %q
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %s, port: {number: 1}}}}]}
`, host, backend)},
	}
}
