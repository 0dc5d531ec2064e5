package main

// suggestion is something to try while the demo runs. examples/README.md has the same ones.
type suggestion struct {
	what string
	// file is in the directory of manifests. old is replaced by new wherever it occurs in it.
	file, old, new string
	before, after  question
	// fault is a part of what the demo says about the change, or "" if there is nothing wrong with it.
	fault string
}

var suggestions = []suggestion{
	{
		what: `change strip-path to "false" in shop.yaml: the backend gets /checkout/pay in place of /pay`,
		file: "shop.yaml", old: `strip-path: "true"`, new: `strip-path: "false"`,
		before: question{tls: true, host: "shop.example", path: "/checkout/pay", status: 200, answer: "shop got GET /pay"},
		after:  question{tls: true, host: "shop.example", path: "/checkout/pay", status: 200, answer: "shop got GET /checkout/pay"},
	},
	{
		what: "change /orders to /baskets in gateway.yaml: the shop answers /baskets/42, and no longer the blog",
		file: "gateway.yaml", old: "/orders", new: "/baskets",
		before: question{host: "api.example", path: "/baskets/42", status: 200, answer: "blog got GET /baskets/42"},
		after:  question{host: "api.example", path: "/baskets/42", status: 200, answer: "shop got GET /baskets/42"},
	},
	{
		what: "remove the ReferenceGrant from gateway.yaml: the canary is no longer the blog, but a 500",
		file: "gateway.yaml", old: grant, new: "",
		before: question{host: "api.example", path: "/orders/42", header: "X-Canary", value: "yes", status: 200, answer: "blog got GET /orders/42"},
		after:  question{host: "api.example", path: "/orders/42", header: "X-Canary", value: "yes", status: 500, answer: `{"message":"no backend is available"}`},
		fault:  "no ReferenceGrant in namespace blog allows",
	},
	{
		what: "change the Service's name to blogs in Ingress blog of blog.yaml: its requests get a 503, and all others still work",
		file: "blog.yaml", old: "pathType: Prefix\n            backend: {service: {name: blog,", new: "pathType: Prefix\n            backend: {service: {name: blogs,",
		before: question{host: "blog.example", path: "/posts/42", status: 200, answer: "blog got GET /posts/42"},
		after:  question{host: "blog.example", path: "/posts/42", status: 503, answer: "{"},
		fault:  "Service blog/blogs does not exist",
	},
	{
		what: "break the YAML of blog.yaml: the last good configuration stays, and the demo says what is wrong",
		file: "blog.yaml", old: "rules:", new: "rules: [",
		before: question{host: "blog.example", path: "/posts/42", status: 200, answer: "blog got GET /posts/42"},
		after:  question{host: "blog.example", path: "/posts/42", status: 200, answer: "blog got GET /posts/42"},
		fault:  "manifest rejected",
	},
}

// grant is the ReferenceGrant of gateway.yaml.
const grant = `---
# The blog has to permit that the shop refers to its Service. Without this, the canary answers with 500.
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata:
  name: shop
  namespace: blog
spec:
  from:
    - {group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}
  to:
    - {group: "", kind: Service, name: blog}
`
