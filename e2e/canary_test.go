package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/e2e/freeport"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// canaries are the secrets of a test by their descriptions. Each may be found nowhere but in Kong.
type canaries map[string]string

// new returns a unique secret.
func (c canaries) new(t *testing.T, of string) string {
	t.Helper()
	var random [9]byte
	if _, err := rand.Read(random[:]); err != nil {
		t.Fatal(err)
	}
	c[of] = "canary" + hex.EncodeToString(random[:])
	return c[of]
}

// pair is a key pair whose key is secret.
func (c canaries) pair(t *testing.T, of, host string) pair {
	t.Helper()
	p := keyPair(host)
	c[of] = strings.Split(p.key, "\n")[2] // a line of it is enough
	return p
}

// absent fails the test for each canary in a text, plain or in base64.
func (c canaries) absent(t *testing.T, where, text string) {
	t.Helper()
	for of, secret := range c {
		for _, form := range []string{secret, strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "=")[:16]} {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s has the %s: …%s…", where, of, text[max(0, at-300):min(len(text), at+200)])
				break
			}
		}
	}
}

// Values of Secrets, the pod's settings, its token and vaults are found nowhere but in Kong: not in logs, Events,
// statuses, metrics, or the output of kube-sync render. That includes invalid ones.
func TestCanarySecrets(t *testing.T) {
	pod.NeedPlugins(t)
	cp := cluster(t)
	kongKinds(t, cp)
	account, c := credentials(t, cp), canaries{}
	status := freeport.Address(t)
	gw := pod.Start(t, pod.Options{Credentials: account, Name: "gateway-0", Settings: map[string]string{"LOG_LEVEL": "trace"},
		Kong: map[string]string{"PG_PASSWORD": c.new(t, "password among Kong's settings"), "STATUS_LISTEN": status, "PLUGINS": "bundled,kube-sync-delta,kube-sync-http"}})
	gw.NeedKong()
	serviceToken, err := os.ReadFile(filepath.Join(account.Dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	c["service account's token"] = string(serviceToken[len(serviceToken)-40:])

	ns, rival := cp.Namespace(t), cp.Namespace(t)
	host := ns + ".example"
	shared := c.new(t, "key of two consumers")
	well := secretsInUse(t, c, ns, host, shared)
	broken := secretsAtFault(t, c, ns, host)
	vault := fmt.Sprintf("apiVersion: configuration.konghq.com/v1alpha1\nkind: KongVault\nmetadata: {name: %s, annotations: {kubernetes.io/ingress.class: kong}}\n"+
		"spec: {backend: hcv, prefix: canary, config: {host: 127.0.0.1, kv: v9, token: %s}}\n", ns, c.new(t, "token of a vault"))
	t.Cleanup(func() { _ = cp.Delete(t.Context(), "", vault) })
	cp.MustApply(t, ns, well+"---\n"+broken+"---\n"+vault)
	nextSecond()
	taken := consumer("rival", "", "taken") + credential("taken", "key-auth", "key", shared)
	cp.MustApply(t, rival, taken)

	// Kong has them.
	wantAnswers(t, gw.HTTP, key(host, shared), http.StatusOK)
	wantAnswers(t, gw.HTTP, request{host: host}, http.StatusUnauthorized)
	config := ofAdmin(t, gw, "/config")
	for _, of := range []string{"key of two consumers", "password of a basic-auth credential", "private key of a host", "whole configuration of a plugin", "part of a plugin's configuration"} {
		if of != "password of a basic-auth credential" && !strings.Contains(config, strings.ReplaceAll(c[of], "/", `\/`)) && !strings.Contains(config, c[of]) {
			t.Errorf("Kong does not have the %s", of)
		}
	}
	wantEvent(t, cp, rival, "rival", "CredentialInvalid")
	events := quietEvents(t, cp, ns, rival)
	c.absent(t, "an Event", events)
	for _, reason := range []string{"CertificateInvalid", "CredentialInvalid", "KongConfigurationApplyFailed"} {
		if !strings.Contains(events, reason) {
			t.Errorf("the faults that were made have no Event %s:\n%s", reason, events)
		}
	}
	for _, namespace := range []string{ns, rival} {
		c.absent(t, "a status", statusesOf(t, cp, namespace))
	}
	c.absent(t, "the status of a vault", objectOf(t, cp, kongVaults, "", ns))
	log, err := gw.Log()
	if err != nil {
		t.Fatal(err)
	}
	c.absent(t, "the log", log)
	if strings.Contains(log, "Response Body") {
		t.Error("the log has the bodies of requests to the API server")
	}
	for _, url := range []string{"http://" + gw.Metrics + "/metrics", "http://" + gw.Health + "/readyz", "http://" + gw.Health + "/healthz",
		"http://" + status + "/status", "http://" + status + "/status/ready", "http://" + status + "/metrics", "http://" + gw.Metrics + "/"} {
		c.absent(t, url, textOf(t, url))
	}
	renderHides(t, c, strings.Join([]string{well, broken, vault, taken}, "---\n"))
}

// secretsInUse returns objects with secrets that Kong accepts.
func secretsInUse(t *testing.T, c canaries, ns, host, shared string) string {
	t.Helper()
	return strings.Join([]string{
		app("web", "plain."+host, 1),
		withPlugins("auth", host, "web", "auth, whole, patched") + fmt.Sprintf("  tls: [{hosts: [%s], secretName: tls}]\n", host),
		c.pair(t, "private key of a host", host).secret("tls"),
		kongPlugin("auth", "key-auth", "{}"),
		pluginFrom("whole", "session", "whole"), opaque("whole", "whole", fmt.Sprintf(`{"secret": %q}`, c.new(t, "whole configuration of a plugin"))),
		pluginPatched("patched", "rate-limiting", "{hour: 1000, policy: local}", "/redis/password", "patched"),
		opaque("patched", "patched", fmt.Sprintf("%q", c.new(t, "part of a plugin's configuration"))),
		consumer("ann", "", "ann-key", "ann-basic", "ann-hmac", "ann-jwt"),
		credential("ann-key", "key-auth", "key", shared),
		credential("ann-basic", "basic-auth", "username", ns+"-ann", "password", c.new(t, "password of a basic-auth credential")),
		credential("ann-hmac", "hmac-auth", "username", ns+"-ann", "secret", c.new(t, "secret of an hmac-auth credential")),
		credential("ann-jwt", "jwt", "key", ns+"-ann", "secret", c.new(t, "secret of a jwt credential")),
	}, "---\n")
}

// secretsAtFault returns invalid objects with secrets, which the translation or Kong rejects.
func secretsAtFault(t *testing.T, c canaries, ns, host string) string {
	t.Helper()
	mismatched := c.pair(t, "private key of another certificate", "other."+host)
	mismatched.cert = keyPair("other." + host).cert
	all := []string{
		mismatched.secret("mismatched"), tlsIngress("mismatched", "mismatched."+host),
		pair{cert: keyPair(host).cert, key: c.new(t, "text in the place of a private key")}.secret("garbage"), tlsIngress("garbage", "garbage."+host),
		// Plugins with an invalid configuration from a Secret.
		opaque("unparsable", "unparsable", "a: ["+c.new(t, "configuration that is no YAML")), pluginFrom("unparsable", "session", "unparsable"),
		opaque("scalar", "scalar", c.new(t, "configuration that is no object")), pluginFrom("scalar", "session", "scalar"),
		opaque("mistyped", "mistyped", `{"hour": "`+c.new(t, "configuration of a wrong type")+`"}`), pluginFrom("mistyped", "rate-limiting", "mistyped"),
		opaque("choice", "choice", `{"hour": 5, "policy": "`+c.new(t, "configuration out of its choices")+`"}`), pluginFrom("choice", "rate-limiting", "choice"),
		opaque("deep", "deep", `{"hour": 5, "redis": {"host": {"x": "`+c.new(t, "configuration of a wrong shape")+`"}}}`), pluginFrom("deep", "rate-limiting", "deep"),
		opaque("urlish", "urlish", `{"http_endpoint": "`+c.new(t, "configuration that is no URL")+`"}`), pluginFrom("urlish", "http-log", "urlish"),
		opaque("regexish", "regexish", `{"allow": ["["], "deny": ["`+c.new(t, "configuration that is no address")+`"]}`), pluginFrom("regexish", "ip-restriction", "regexish"),
		opaque("raw", "raw", c.new(t, "patch that is no JSON")), pluginPatched("raw", "key-auth", "{}", "/realm", "raw"),
		opaque("number", "number", `"`+c.new(t, "patch of a wrong type")+`"`), pluginPatched("number", "rate-limiting", "{policy: local}", "/hour", "number"),
		opaque("lua", "lua", `{"header_filter_by_lua": "`+c.new(t, "code in a configuration")+`"}`), pluginFrom("lua", "session", "lua"),
		// Credentials with missing or invalid fields.
		consumer("nan", "", "c-basic", "c-jwt", "c-algorithm", "c-ttl", "c-uris", "c-type", "c-hmac"),
		credential("c-basic", "basic-auth", "password", c.new(t, "password without a user")),
		credential("c-jwt", "jwt", "key", ns, "algorithm", "RS256", "rsa_public_key", c.new(t, "public key that is none")),
		credential("c-algorithm", "jwt", "key", ns+"-2", "algorithm", c.new(t, "algorithm that is none"), "secret", "s"),
		credential("c-ttl", "key-auth", "key", c.new(t, "key with a wrong ttl"), "ttl", c.new(t, "ttl that is no number")),
		credential("c-uris", "oauth2", "name", "n", "client_id", "i", "client_secret", c.new(t, "client secret"), "redirect_uris", c.new(t, "redirect that is no URL")),
		credential("c-type", "no-such-type", "key", c.new(t, "credential of no type")),
		credential("c-hmac", "hmac-auth", "secret", c.new(t, "hmac secret without a user")),
		// Certificates of authorities and clients, to which Services refer.
		opaque("ca", "id", c.new(t, "id of a CA that is none")), opaque("ca-cert", "id", "00000000-0000-4000-8000-0000000000c1"),
		facing("verified", "konghq.com/protocol: https\nkonghq.com/tls-verify: 'true'\nkonghq.com/ca-certificates-secrets: ca, ca-cert\nkonghq.com/client-cert: mismatched"),
		ingress("verified", "verified."+host, "/", "verified"),
	}
	for _, plugin := range []string{"unparsable", "scalar", "mistyped", "choice", "deep", "urlish", "regexish", "raw", "number", "lua"} {
		all = append(all, withPlugins("with-"+plugin, plugin+"."+host, "web", plugin))
	}
	return strings.Join(all, "---\n")
}

func tlsIngress(name, host string) string {
	return ingress(name, host, "/", "web") + fmt.Sprintf("  tls: [{hosts: [%s], secretName: %s}]\n", host, name)
}

// opaque returns a Secret with one key.
func opaque(name, key, value string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(value))
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\ndata: {%s: %s}\n", name, key, encoded)
}

// pluginFrom returns a plugin whose configuration is from a Secret with one key.
func pluginFrom(name, plugin, secret string) string {
	return fmt.Sprintf("apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: %s}\nplugin: %s\n"+
		"configFrom: {secretKeyRef: {name: %[3]s, key: %[3]s}}\n", name, plugin, secret)
}

// pluginPatched returns a plugin with a part of its configuration from a Secret with one key.
func pluginPatched(name, plugin, config, path, secret string) string {
	return fmt.Sprintf("apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: %s}\nplugin: %s\nconfig: %s\n"+
		"configPatches: [{path: %s, valueFrom: {secretKeyRef: {name: %[5]s, key: %[5]s}}}]\n", name, plugin, config, path, secret)
}

// quietEvents returns all Events of namespaces, once there are no new ones for some seconds.
func quietEvents(t *testing.T, cp *lab.ControlPlane, namespaces ...string) string {
	t.Helper()
	read := func() string {
		var all strings.Builder
		for _, namespace := range namespaces {
			events, err := cp.Client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events.Items {
				fmt.Fprintf(&all, "%s %s/%s: %s: %s %v\n", e.InvolvedObject.Kind, namespace, e.InvolvedObject.Name, e.Reason, e.Message, e.Annotations)
			}
		}
		return all.String()
	}
	before := read()
	for {
		time.Sleep(5 * time.Second)
		now := read()
		if now == before && now != "" {
			return now
		}
		before = now
	}
}

// statusesOf returns the statuses that the gateway writes. Specs refer to Secrets and have no secrets.
func statusesOf(t *testing.T, cp *lab.ControlPlane, namespace string) string {
	t.Helper()
	var all strings.Builder
	for _, resource := range []schema.GroupVersionResource{
		kongPlugins, kongConsumers, {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	} {
		list, err := cp.Dynamic.Resource(resource).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			raw, err := item.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			all.Write(raw)
			all.WriteString("\n")
		}
	}
	return all.String()
}

// objectOf returns the status of an object.
func objectOf(t *testing.T, cp *lab.ControlPlane, resource schema.GroupVersionResource, namespace, name string) string {
	t.Helper()
	object, err := cp.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.Marshal(object.Object["status"])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func ofAdmin(t *testing.T, gw *pod.Pod, path string) string {
	t.Helper()
	answer, err := gw.Admin().Get("http://kong" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func textOf(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// renderHides checks the output of kube-sync check and render for the manifests.
func renderHides(t *testing.T, c canaries, manifests string) {
	t.Helper()
	for _, verb := range [][]string{{"render", "-f", "-", "-status"}, {"render", "-f", "-", "-o", "json", "-status"}, {"check", "-f", "-"}} {
		cmd := exec.Command(lab.Executable(t, pod.KubeSync), verb...)
		cmd.Stdin = strings.NewReader(manifests)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if out.Len() == 0 || verb[0] == "render" && err != nil {
			t.Errorf("kube-sync %s: %v\n%s", strings.Join(verb, " "), err, &out)
		}
		c.absent(t, "kube-sync "+strings.Join(verb, " "), out.String())
	}
	cmd := exec.Command(lab.Executable(t, pod.KubeSync), "render", "-f", "-", "-show-secrets")
	cmd.Stdin = strings.NewReader(manifests)
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), c["key of two consumers"]) {
		t.Errorf("kube-sync render -show-secrets does not show a key: %v", err)
	}
}
