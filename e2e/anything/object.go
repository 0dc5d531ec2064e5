package anything

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// annotations are all annotations that are read.
var annotations = strings.Fields(`konghq.com/tags konghq.com/plugins konghq.com/protocols konghq.com/strip-path konghq.com/preserve-host
	konghq.com/https-redirect-status-code konghq.com/regex-prefix konghq.com/regex-priority konghq.com/path-handling
	konghq.com/methods konghq.com/snis konghq.com/host-aliases konghq.com/request-buffering konghq.com/response-buffering
	konghq.com/headers-separator konghq.com/headers.x-a konghq.com/headers. konghq.com/headers.ä konghq.com/rewrite
	konghq.com/protocol konghq.com/path konghq.com/connect-timeout konghq.com/read-timeout konghq.com/write-timeout
	konghq.com/retries konghq.com/host-header konghq.com/client-cert konghq.com/tls-verify konghq.com/tls-verify-depth
	konghq.com/ca-certificates-secrets konghq.com/ca-certificates-configmaps konghq.com/upstream-policy konghq.com/override
	konghq.com/publish-service konghq.com/gatewayclass-unmanaged ingress.kubernetes.io/force-ssl-redirect
	ingress.kubernetes.io/service-upstream kubernetes.io/ingress.class ingressclass.kubernetes.io/is-default-class`)

// sensible are annotations with valid values.
var sensible = [][]string{
	{"plugins", "o0", "o1", "o1, o2", "o3"}, {"protocols", "http", "https", "grpc,grpcs", "tcp", "tls", "tls_passthrough"},
	{"strip-path", "true"}, {"methods", "GET,POST"}, {"snis", "a.example"}, {"host-aliases", "c.example, *.c.example", "d.*"},
	{"headers.x-a", "1,2", "~*^a"}, {"rewrite", "/$1", "/x"}, {"protocol", "http", "https", "grpc", "grpcs", "tls", "tcp", "udp"},
	{"path", "/x", "/"}, {"read-timeout", "1000"}, {"retries", "0", "3"}, {"host-header", "h.example"}, {"client-cert", "o0"},
	{"tls-verify", "true"}, {"tls-verify-depth", "2"}, {"ca-certificates-secrets", "o0,o1"}, {"ca-certificates-configmaps", "o0"}, {"ca-certificates-secret", "o1"}, {"ca-certificates-configmap", "o0"},
	{"upstream-policy", "o0", "o1"}, {"override", "o0"}, {"tags", "a, b"}, {"https-redirect-status-code", "301"},
}

var credentials = []string{"key-auth", "basic-auth", "hmac-auth", "jwt", "acl", "oauth2", "mtls-auth", "x"}

// kindsOften are the kinds that most others refer to.
var kindsOften = []unit.Kind{unit.Ingress, unit.Service, unit.HTTPRoute, unit.GRPCRoute, unit.KongPlugin, unit.KongConsumer, unit.Secret}

// Objects returns as many objects as the bytes allow, with few different names. A later object may
// replace an earlier one.
func Objects(from []byte) []unit.Change {
	d, all := &draw{from}, kinds.All()
	var changes []unit.Change
	for len(d.left) > 0 && len(changes) < 40 {
		kind := pick(d, all...)
		if d.below(2) == 0 {
			often := pick(d, kindsOften...)
			kind = all[slices.IndexFunc(all, func(k kinds.Kind) bool { return k.Name == often })]
		}
		object := kind.New()
		d.fill(reflect.ValueOf(object).Elem(), 0)
		d.describe(kind, object)
		if kind.Default != nil && d.below(4) > 0 {
			kind.Default(object)
		}
		key := unit.Key{Kind: kind.Name, Namespace: object.GetNamespace(), Name: object.GetName()}
		changes = append(changes, unit.Change{Key: key, Object: object})
	}
	return changes
}

// describe sets an object's metadata. Most objects are of the gateway's class.
func (d *draw) describe(kind kinds.Kind, object unit.Object) {
	object.SetName(fmt.Sprint("o", d.below(4)))
	if kind.Name == unit.GatewayClass || kind.Name == unit.IngressClass {
		object.SetName(pick(d, "o0", "kong-of-others"))
	}
	if kind.Namespaced {
		object.SetNamespace(pick(d, "default", "default", "default", "other"))
	} else if kind.Name == unit.Namespace {
		object.SetName(pick(d, "default", "other"))
	}
	object.SetUID(types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", slices.IndexFunc(kinds.All(), func(k kinds.Kind) bool { return k.Name == kind.Name }), len(d.left))))
	object.SetCreationTimestamp(metav1.NewTime(time.Unix(int64(2000000000+d.below(3)), 0).UTC()))
	object.SetGeneration(int64(1 + d.below(3)))
	all := map[string]string{}
	if d.below(8) > 0 {
		all["kubernetes.io/ingress.class"] = "kong"
	}
	for range d.below(4) {
		all[pick(d, annotations...)] = d.text()
	}
	for range d.below(3) {
		name := pick(d, sensible...)
		all["konghq.com/"+name[0]] = pick(d, name[1:]...)
	}
	object.SetAnnotations(all)
	labels := map[string]string{}
	switch {
	case kind.Name == unit.Secret:
		labels["konghq.com/credential"] = pick(d, credentials...)
	case kind.Name == unit.EndpointSlice:
		labels["kubernetes.io/service-name"] = fmt.Sprint("o", d.below(4))
	case d.chance(4):
		labels[pick(d, "global", "team", "app.kubernetes.io/managed-by")] = pick(d, "true", "a", "kube-sync")
	}
	object.SetLabels(labels)
	if d.below(8) > 0 {
		d.mend(object)
	}
}
