package input_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/plugin/cli"
)

// TestMain runs the tests in a lab, which has an API server.
func TestMain(m *testing.M) { lab.Main(m) }

// kubeconfig writes a kubeconfig for a cluster, for a user that is impersonated, or for the
// administrator.
func kubeconfig(t *testing.T, config *rest.Config, user string) string {
	t.Helper()
	config = rest.CopyConfig(config)
	if err := rest.LoadTLSFiles(config); err != nil {
		t.Fatal(err)
	}
	auth := &api.AuthInfo{Token: config.BearerToken, ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Impersonate: user}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(api.Config{
		Clusters:  map[string]*api.Cluster{"lab": {Server: config.Host, CertificateAuthorityData: config.CAData, InsecureSkipTLSVerify: config.Insecure}},
		AuthInfos: map[string]*api.AuthInfo{"user": auth}, Contexts: map[string]*api.Context{"lab": {Cluster: "lab", AuthInfo: "user"}}, CurrentContext: "lab",
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

const shop = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: kong}
spec: {controller: ingress-controllers.konghq.com/kong}
---
apiVersion: v1
kind: Service
metadata: {name: api-v1}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api-v2}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: tls}
type: kubernetes.io/tls
data: {tls.crt: '', tls.key: ''}
---
`

const web = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: NAMESPACE}
spec:
  ingressClassName: kong
  rules:
  - host: NAMESPACE.example
    http: {paths: [{path: /api, pathType: Prefix, backend: {service: {name: api-v1, port: {number: 80}}}}]}
`

// TestRealCluster calls commands on a real API server.
func TestRealCluster(t *testing.T) {
	cp := lab.Shared(t)
	namespace := cp.Namespace(t)
	cp.MustApply(t, namespace, shop+strings.ReplaceAll(web, "NAMESPACE", namespace))
	admin := kubeconfig(t, cp.Config, "")
	file := func(old, replacement string) string {
		path := filepath.Join(t.TempDir(), "web.yaml")
		text := strings.ReplaceAll(strings.Replace(web, old, replacement, 1), "NAMESPACE", namespace)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	same, moved, missing := file("", ""), file("api-v1", "api-v2"), file("api-v1", "api-v3")
	for name, test := range map[string]struct {
		args     []string
		code     int
		out, err string
	}{
		"a diff of nothing":                  {[]string{"diff", same}, 0, "Nothing changes.", ""},
		"a diff":                             {[]string{"diff", moved}, 1, "Ingress " + namespace + "/web: /api moves from api-v1:80 to api-v2:80", ""},
		"a diff with a new fault":            {[]string{"diff", missing}, 1, missing + ":8: Ingress " + namespace + "/web: ServiceNotFound", ""},
		"a check of the cluster":             {[]string{"check", "--cluster", "--namespaces", namespace}, 0, "", "0 errors, 0 warnings"},
		"a check among the cluster":          {[]string{"check", "--cluster", same}, 0, "", "1 object, 0 errors, 0 warnings"},
		"a check without the cluster":        {[]string{"check", same}, 0, "warning: ", "1 object, 0 errors, 1 warning"},
		"a check of a fault":                 {[]string{"check", "--cluster", missing}, 1, missing + ":8: Ingress " + namespace + "/web: ServiceNotFound", "1 error, 0 warnings"},
		"a context that does not exist":      {[]string{"check", "--cluster", "--context", "nowhere"}, 2, "", "nowhere"},
		"a namespace that does not exist":    {[]string{"check", "--cluster", "--namespaces", "nowhere"}, 0, "", "0 errors"},
		"an examination without any gateway": {[]string{"doctor"}, 1, "there is no pod with the label", ""},
	} {
		access := []string{test.args[0], "--kubeconfig", admin}
		var out, errs bytes.Buffer
		code := cli.Run(append(access, test.args[1:]...), &out, &errs)
		if code != test.code || !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.err) {
			t.Errorf("%s: exit code %d, want %d; out:\n%s\nerr:\n%s", name, code, test.code, &out, &errs)
		}
	}
	cp.MustApply(t, namespace, strings.ReplaceAll(strings.Replace(web, "api-v1", "api-v3", 1), "NAMESPACE", namespace))
	var out, errs bytes.Buffer
	if code := cli.Run([]string{"check", "--cluster", "--kubeconfig", admin}, &out, &errs); code != 1 || !strings.HasPrefix(out.String(), "Ingress "+namespace+"/web: ServiceNotFound") {
		t.Errorf("a check of a faulty cluster: exit code %d; out:\n%s\nerr:\n%s", code, &out, &errs)
	}
	bundle := filepath.Join(t.TempDir(), "bundle")
	collect := []string{"collect", "--kubeconfig", admin, "--output", bundle}
	if code := cli.Run(collect, &out, &errs); code != 0 {
		t.Errorf("collect: exit code %d: %s", code, &errs)
	}
	if info, err := os.Stat(bundle); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("the bundle: %v, %v", info, err)
	}
	if code := cli.Run(collect, &out, &errs); code == 0 {
		t.Error("collect overwrites a file")
	}
}

// TestRealClusterWithoutRights names all rights that are missing.
func TestRealClusterWithoutRights(t *testing.T) {
	cp := lab.Shared(t)
	path := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(web, "NAMESPACE", "shop")), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := cli.Run([]string{"diff", "--kubeconfig", kubeconfig(t, cp.Config, "nobody"), path}, &out, &errs)
	if code != 2 || out.Len() > 0 {
		t.Errorf("exit code %d, out:\n%s", code, &out)
	}
	for _, right := range []string{"list ingresses.networking.k8s.io", "list services", "list endpointslices.discovery.k8s.io", "list namespaces", "list ingressclasses.networking.k8s.io"} {
		if !strings.Contains(errs.String(), right) {
			t.Errorf("%s is not named:\n%s", right, &errs)
		}
	}
}
