package attacks

import (
	"fmt"
	"strings"
)

// sizes are attacks by small manifests that become large.
func sizes() []attack {
	return []attack{
		{
			name:  "150 regular expressions of ten megabytes each",
			steps: []string{regexes(150, `/~/%d/\w{200}$`)},
		}, {
			name:  "regular expressions within each other",
			steps: []string{regexes(20, `/~/%d/((\w{30}){30}){3}$`)},
		}, {
			name:  "600 paths with a plugin of 500 kB",
			steps: []string{plugin(attacker, "large", "request-termination", `{"message": "`+strings.Repeat("x", 500_000)+`"}`) + paths("large", 600, "plugins=large")},
			told:  []string{"KongPlugin attacker/large"},
		}, {
			name:  "600 paths with a plugin of 60 kB",
			steps: []string{plugin(attacker, "large", "request-termination", `{"message": "`+strings.Repeat("x", 60_000)+`"}`) + paths("large", 600, "plugins=large")},
		}, {
			name: "aliases of YAML in a plugin's configuration",
			steps: []string{object("configuration.konghq.com/v1", "KongPlugin", attacker, "aliases", "kubernetes.io/ingress.class=kong") +
				"plugin: request-termination\nconfigFrom: {secretKeyRef: {name: aliases, key: config}}\n" +
				secret(attacker, "aliases", []string{"config=" + aliases(9)}) +
				ingress(attacker, "aliases", "aliases.attacker.test", "/", "web", "plugins=aliases")},
			told: []string{"Ingress attacker/aliases"},
		}, {
			name:  "80 Ingresses with the same 400 paths",
			steps: []string{samePaths(80, 400)},
		}, {
			name:  "5 000 paths",
			steps: []string{paths("many-1", 2500) + paths("many-2", 2500)},
		}, {
			name:  "consistent hashing with 65 536 slots in 40 upstreams",
			steps: []string{slots(40)},
		}, {
			name:  "10 000 endpoints",
			steps: []string{endpoints(1, 10_000)},
		}, {
			name:  "health checks of 20 upstreams with 500 endpoints each",
			steps: []string{checks("{passive: {unhealthy: {httpFailures: 1}, healthy: {successes: 1}}}") + endpoints(20, 500, "upstream-policy=checks")},
		}, {
			name:  "health checks every second of 4 000 endpoints that do not answer",
			steps: []string{checks("{active: {type: tcp, concurrency: 1000, healthy: {interval: 1}, unhealthy: {interval: 1, timeouts: 1}}}") + endpoints(8, 500, "upstream-policy=checks")},
		},
	}
}

// regexes returns an Ingress whose paths are made from their numbers.
func regexes(n int, path string) string {
	var rules strings.Builder
	for i := range n {
		fmt.Fprintf(&rules, "      - {path: %q, pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}\n", fmt.Sprintf(path, i))
	}
	return object("networking.k8s.io/v1", "Ingress", attacker, "regexes") +
		"spec:\n  ingressClassName: kong\n  rules:\n  - host: regexes.attacker.test\n    http:\n      paths:\n" + rules.String()
}

func paths(name string, n int, annotations ...string) string {
	var rules strings.Builder
	for i := range n {
		fmt.Fprintf(&rules, "      - {path: /%d, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}\n", i)
	}
	return object("networking.k8s.io/v1", "Ingress", attacker, name, annotations...) +
		"spec:\n  ingressClassName: kong\n  rules:\n  - host: " + name + ".attacker.test\n    http:\n      paths:\n" + rules.String()
}

func samePaths(ingresses, n int) string {
	all := ""
	for i := range ingresses {
		all += strings.ReplaceAll(strings.ReplaceAll(paths("same", n), `name: "same"`, fmt.Sprintf(`name: "same-%d"`, i)),
			"  uid: ", fmt.Sprintf("  uid: n%d-", i))
	}
	return all
}

// aliases returns YAML in which each anchor has the one before it ten times.
func aliases(depth int) string {
	text := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i <= depth; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return text
}

func slots(upstreams int) string {
	all := object("configuration.konghq.com/v1beta1", "KongUpstreamPolicy", attacker, "slots") +
		"spec: {algorithm: consistent-hashing, slots: 65536, hashOn: {input: ip}}\n"
	for i := range upstreams {
		name := fmt.Sprintf("slots-%d", i)
		all += service(attacker, name, strangerIP, backendPort, "upstream-policy=slots") + ingress(attacker, name, name+".attacker.test", "/", name)
	}
	return all
}

func checks(healthchecks string) string {
	return object("configuration.konghq.com/v1beta1", "KongUpstreamPolicy", attacker, "checks") + "spec: {healthchecks: " + healthchecks + "}\n"
}

// endpoints returns Services with a number of endpoints each, and annotations.
func endpoints(services, each int, annotations ...string) (all string) {
	for i := range services {
		name := fmt.Sprintf("large-%d", i)
		all += object("v1", "Service", attacker, name, annotations...) + "spec: {ports: [{name: http, port: 80}]}\n" + ingress(attacker, name, name+".attacker.test", "/", name)
		for first := 0; first < each; first += 1000 {
			all += object("discovery.k8s.io/v1", "EndpointSlice", attacker, fmt.Sprintf("%s-%d", name, first), ":kubernetes.io/service-name="+name) +
				"addressType: IPv4\nports: [{name: http, port: 8080, protocol: TCP}]\nendpoints:\n"
			for j := first; j < min(each, first+1000); j++ {
				all += fmt.Sprintf("- {addresses: [10.%d.%d.%d], conditions: {ready: true}}\n", 60+i, j/250, j%250)
			}
		}
	}
	return all
}
