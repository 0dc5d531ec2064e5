package attacks

// hosts are attacks by routes for hosts and paths of another namespace.
func hosts() []attack {
	return []attack{
		{
			name:  "another's host and path",
			steps: []string{taker("shop.test", "/")},
			told:  []string{"Ingress attacker/taker"},
		},
		{name: "another's host and path, by an Ingress for an HTTPRoute", steps: []string{taker("api.shop.test", "/v2")}},
		{name: "another's host by a wildcard, or as an alias", steps: []string{taker("*.shop.test", "/", "host-aliases=shop.test,private.shop.test")}},
		{name: "another's path, for all hosts", steps: []string{taker("", "/items/1")}},
	}
}

// hostsOfOthers are attacks by routes that are more specific than those of the namespace that has the host. On a
// shared gateway, hosts may be shared by all namespaces.
func hostsOfOthers() []attack {
	all := []attack{
		{name: "another's host and path, with methods", steps: []string{taker("shop.test", "/", "methods=GET")}},
		{name: "another's host and path, with a header", steps: []string{taker("private.shop.test", "/", "headers.User-Agent=Go-http-client/1.1")}},
		{name: "another's host, with a longer path", steps: []string{taker("shop.test", "/items")}},
		{name: "another's host, by a regular expression", steps: []string{taker("shop.test", "/~/items/\\d+")}},
	}
	for i := range all {
		all[i].told = []string{"Ingress attacker/taker"}
	}
	return append(all, attack{
		name:  "another's host and path, by an HTTPRoute with a header",
		steps: []string{httpRoute(attacker, "taker", "api.shop.test", "\n  - matches: [{path: {type: PathPrefix, value: /v2}, headers: [{name: User-Agent, value: Go-http-client/1.1}]}]\n    backendRefs: [{name: web, port: 80}]\n")},
		told:  []string{"HTTPRoute attacker/taker"},
	})
}

func taker(host, path string, annotations ...string) string {
	return ingress(attacker, "taker", host, path, "web", annotations...)
}
