package attacks

import "fmt"

const (
	changing = "changing" // the name of the Ingress that the victim changes
	moving   = "moving"   // the name of the Service whose endpoint the victim changes
)

// Keys of consumers.
const (
	aliceKey   = "canary-key-of-alice"
	bobKey     = "canary-key-of-bob"
	malloryKey = "key-of-mallory"
)

const shopCAID = "cce8c384-721f-4f58-85dd-50834e3e733a"

// operatorManifests are the manifests of the gateway's operator.
const operatorManifests = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kong}
spec: {controller: ingress-controllers.konghq.com/kong}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: kong, annotations: {konghq.com/gatewayclass-unmanaged: "true"}}
spec: {controllerName: konghq.com/kic-gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: infra}
spec:
  gatewayClassName: kong
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
---
apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: guard, annotations: {kubernetes.io/ingress.class: kong}}
plugin: ip-restriction
config: {allow: [192.0.2.0/24]}
---
apiVersion: configuration.konghq.com/v1alpha1
kind: KongVault
metadata: {name: operator, annotations: {kubernetes.io/ingress.class: kong}}
spec: {backend: env, prefix: operator, config: {prefix: TENANTS_}}
`

// shopManifests returns the victim's manifests.
func shopManifests(s *servers, cert, key string) string {
	return service(shop, "web", shopIP, backendPort) +
		service(shop, "limited", shopIP, backendPort, "plugins=limit") +
		service(shop, "verified", shopTLSIP, tlsPort, "protocol=https", "tls-verify=true", "ca-certificates-secrets=root") +
		caSecret(shop, "root", shopCAID, s.ca.CertPEM()) +
		tlsSecret(shop, "shop-tls", cert, key) +
		plugin(shop, "auth", "key-auth", `{"key_names": ["apikey"], "hide_credentials": true}`) +
		plugin(shop, "members", "acl", `{"allow": ["members"]}`) +
		plugin(shop, "office", "ip-restriction", `{"allow": ["192.0.2.0/24"], "status": 403}`) +
		plugin(shop, "limit", "rate-limiting", `{"minute": 1000000, "policy": "local"}`) +
		plugin(shop, "few", "rate-limiting", `{"year": 2, "policy": "local", "limit_by": "ip"}`) +
		plugin(shop, "optional", "key-auth", `{"key_names": ["apikey"], "anonymous": "guest"}`) +
		// Of a consumer that does not exist.
		plugin(shop, "visitors", "key-auth", `{"key_names": ["apikey"], "anonymous": "visitor"}`) +
		ingress(shop, "visited", "visited.shop.test", "/", "web", "plugins=visitors") +
		consumer(shop, "alice", "alice", []string{"alice-key", "alice-member"}) +
		credential(shop, "alice-key", "key-auth", "key="+aliceKey) + credential(shop, "alice-member", "acl", "group=members") +
		keyed(shop, "bob", bobKey) +
		object("configuration.konghq.com/v1", "KongConsumer", shop, "guest", "kubernetes.io/ingress.class=kong") +
		"username: guest\ncustom_id: shop-guest\n" +
		ingress(shop, "web", "shop.test", "/", "web") +
		ingress(shop, "private", "private.shop.test", "/", "web", "plugins=auth,members") +
		ingress(shop, "office", "office.shop.test", "/", "web", "plugins=office") +
		ingress(shop, "limited", "limited.shop.test", "/", "limited") +
		ingress(shop, "used-up", "used-up.shop.test", "/", "web", "plugins=few") +
		ingress(shop, "optional", "optional.shop.test", "/", "web", "plugins=optional") +
		ingress(shop, "verified", "verified.shop.test", "/", "verified") +
		ingress(shop, "guarded", "guarded.shop.test", "/", "web", "plugins=guard") +
		ingress(shop, "secure", "secure.shop.test", "/", "web") +
		"  tls: [{hosts: [secure.shop.test], secretName: shop-tls}]\n" +
		httpRoute(shop, "api", "api.shop.test", `
  - matches: [{path: {type: PathPrefix, value: /v1}}, {path: {type: PathPrefix, value: /v2}}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Trust, value: shop}]}}]
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /retried}}]
    retry: {attempts: 1, codes: [503]}
    backendRefs: [{name: web, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /keyed}}]
    filters: [{type: ExtensionRef, extensionRef: {group: configuration.konghq.com, kind: KongPlugin, name: auth}}]
    backendRefs: [{name: web, port: 80}]
`) +
		object("configuration.konghq.com/v1beta1", "TCPIngress", shop, "stream", "kubernetes.io/ingress.class=kong") +
		"spec: {rules: [{port: " + streamPort + ", backend: {serviceName: stream, servicePort: 80}}]}\n" +
		service(shop, "stream", shopIP, echoPort) +
		ingress(shop, moving, "moving.shop.test", "/", moving) +
		object("v1", "Service", shop, moving) + "spec: {ports: [{name: http, port: 80}]}\n"
}

// changed returns the objects that the victim changes: a path, and the endpoint of a Service.
func changed(n int) string {
	address := shopIP
	if n%2 == 1 {
		address = shopNextIP
	}
	return ingress(shop, changing, "changing.shop.test", fmt.Sprintf("/%d/", n), "web") +
		slice(shop, moving, "IPv4", address, backendPort)
}

// request is a request of the victim, with the expected answer.
type request struct {
	name, host, path, key string
	tls                   bool
	status                int
	// served is the backend that has to answer.
	served string
	// header is a header that the backend has to receive, "Name: value", or "".
	header string
	// answered is a header that the answer has to have.
	answered string
}

var requests = []request{
	{name: "open", host: "shop.test", path: "/items/1", status: 200, served: shopIP},
	{name: "without key", host: "private.shop.test", path: "/", status: 401},
	{name: "wrong key", host: "private.shop.test", path: "/", key: "unknown", status: 401},
	{name: "member", host: "private.shop.test", path: "/", key: aliceKey, status: 200, served: shopIP, header: "X-Consumer-Username: alice"},
	{name: "not a member", host: "private.shop.test", path: "/", key: bobKey, status: 403},
	{name: "restricted address", host: "office.shop.test", path: "/", status: 403},
	{name: "guarded by the operator", host: "guarded.shop.test", path: "/", status: 403},
	{name: "limited", host: "limited.shop.test", path: "/", status: 200, served: shopIP, answered: "X-Ratelimit-Limit-Minute: 1000000"},
	{name: "limit that is used up", host: "used-up.shop.test", path: "/", status: 429},
	{name: "anonymous", host: "optional.shop.test", path: "/", status: 200, served: shopIP, header: "X-Consumer-Custom-Id: shop-guest"},
	{name: "verified backend", host: "verified.shop.test", path: "/", status: 200, served: shopTLSIP},
	{name: "TLS", host: "secure.shop.test", path: "/", tls: true, status: 200, served: shopIP},
	{name: "HTTPRoute", host: "api.shop.test", path: "/v2", status: 200, served: shopIP, header: "X-Trust: shop"},
	{name: "HTTPRoute by the relay", host: "api.shop.test", path: "/retried", status: 200, served: shopIP},
	{name: "HTTPRoute without key", host: "api.shop.test", path: "/keyed", status: 401},
	{name: "HTTPRoute with key", host: "api.shop.test", path: "/keyed", key: bobKey, status: 200, served: shopIP, header: "X-Consumer-Username: bob"},
}
