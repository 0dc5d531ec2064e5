package annotation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/translate/condition"
	"github.com/kube-sync/kube-sync/translate/unit"
)

const ingressNGINX = "nginx.ingress.kubernetes.io/"

// controllers are other ingress controllers, by the prefixes of their annotations.
var controllers = []struct{ prefix, name string }{
	{ingressNGINX, "ingress-nginx"},
	{"nginx.org/", "the NGINX Ingress Controller"},
	{"traefik.ingress.kubernetes.io/", "Traefik"},
	{"haproxy.org/", "the HAProxy Ingress Controller"},
	{"haproxy-ingress.github.io/", "HAProxy Ingress"},
	{"alb.ingress.kubernetes.io/", "the AWS Load Balancer Controller"},
}

// equivalents say what has the effect of annotations of ingress-nginx. A name with a final "-"
// covers all names that start with it.
var equivalents = []struct{ names, use string }{
	{"rewrite-target", "the annotation " + Prefix + Rewrite},
	{"use-regex", "pathType: ImplementationSpecific and a path that starts with /~"},
	{"ssl-redirect force-ssl-redirect", "the annotations " + Prefix + Protocols + ": https and " + Prefix + HTTPSRedirectStatusCode},
	{"server-alias", "the annotation " + Prefix + HostAliases},
	{"proxy-buffering", "the annotation " + Prefix + ResponseBuffering},
	{"proxy-request-buffering", "the annotation " + Prefix + RequestBuffering},
	{"backend-protocol", "the annotation " + Prefix + Protocol + " of the Service"},
	{"proxy-connect-timeout", "the annotation " + Prefix + ConnectTimeout + " of the Service, in milliseconds"},
	{"proxy-read-timeout", "the annotation " + Prefix + ReadTimeout + " of the Service, in milliseconds"},
	{"proxy-send-timeout", "the annotation " + Prefix + WriteTimeout + " of the Service, in milliseconds"},
	{"proxy-next-upstream proxy-next-upstream-tries", "the annotation " + Prefix + Retries + " of the Service"},
	{"upstream-vhost", "the annotation " + Prefix + HostHeader + " of the Service"},
	{"service-upstream", "the annotation " + ServiceUpstream + " of the Service"},
	{"proxy-ssl-secret", "the annotations " + Prefix + ClientCert + " and " + Prefix + CACertificatesSecret + " of the Service"},
	{"proxy-ssl-verify", "the annotation " + Prefix + TLSVerify + " of the Service"},
	{"proxy-ssl-verify-depth", "the annotation " + Prefix + TLSVerifyDepth + " of the Service"},
	{"load-balance upstream-hash-by affinity affinity-mode session-cookie-", "a KongUpstreamPolicy and the annotation " + Prefix + UpstreamPolicy + " of the Service"},
	{"canary canary-", "an HTTPRoute of Gateway API with weights or header matches"},
	{"mirror-target", "the filter RequestMirror of an HTTPRoute"},
	{"ssl-passthrough", "a TLSRoute of Gateway API"},
	{"auth-tls-", "a Gateway of Gateway API that validates client certificates"},
	{"enable-cors cors-", plugin("cors")},
	{"limit-rps limit-rpm", plugin("rate-limiting")},
	{"whitelist-source-range denylist-source-range", plugin("ip-restriction")},
	{"proxy-body-size", plugin("request-size-limiting")},
	{"auth-type auth-secret auth-secret-type auth-realm", plugin("basic-auth")},
	{"permanent-redirect permanent-redirect-code temporal-redirect temporal-redirect-code from-to-www-redirect app-root", plugin("redirect")},
	{"x-forwarded-prefix", plugin("request-transformer")},
	{"custom-headers", plugin("response-transformer")},
	{"enable-opentelemetry", plugin("opentelemetry")},
}

// plugin returns how to use a plugin.
func plugin(name string) string {
	return "a KongPlugin with the plugin " + name + " and the annotation " + Prefix + Plugins
}

// Foreign returns a verdict for each annotation of an Ingress that only another ingress controller
// reads.
func Foreign(object metav1.Object, key unit.Key) (verdicts []unit.Verdict) {
	for name := range object.GetAnnotations() {
		for _, other := range controllers {
			short, ok := strings.CutPrefix(name, other.prefix)
			if !ok {
				continue
			}
			message := fmt.Sprintf("annotation %s is for %s and has no effect", name, other.name)
			if use := equivalent(short); use != "" && other.prefix == ingressNGINX {
				message += "; use " + use
			}
			verdicts = append(verdicts, unit.Warning(key, condition.ReasonForeignAnnotation, message).At(fieldOf(name)))
		}
	}
	slices.SortFunc(verdicts, func(a, b unit.Verdict) int { return cmp.Compare(a.Field, b.Field) })
	return verdicts
}

// equivalent returns what has the effect of an annotation of ingress-nginx, by its name without the
// prefix; "" if that is not known.
func equivalent(name string) string {
	for _, e := range equivalents {
		for covered := range strings.FieldsSeq(e.names) {
			if covered == name || strings.HasSuffix(covered, "-") && strings.HasPrefix(name, covered) {
				return e.use
			}
		}
	}
	return ""
}
