package pod

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
	"github.com/kube-sync/kube-sync/e2e/kubelet"
	"github.com/kube-sync/kube-sync/e2e/lab"
)

const (
	deployedImage   = "kong-kube-sync"
	deployedService = "kong-proxy"
	// own is the directory of the deployed gateway's container for files that are elsewhere in the image.
	own = "/kube-sync"
)

// entrypoint does what the entrypoint of Kong's image does, with the gateway's command in place of %s. The plugin server
// looks for its parent in /proc.
const entrypoint = `#!/bin/sh
set -e
mkdir -p /proc
mount -t proc proc /proc
%s
`

// gatewayServices are the manifests of the optional role for Gateways with their own Services.
var gatewayServices = []string{"clusterrole.yaml", "policy.yaml", "ports.yaml"}

// Deploy installs kong-conf/install.yaml in a cluster of the lab, with the right to write the Services of Gateways, and
// returns once its pods are ready. They are real pods, with the Services and the account of the manifests. The variables
// are added to those of the gateway's container. The gateway ends with the cluster.
func Deploy(t testing.TB, cp *lab.ControlPlane, variables map[string]string) *Pod {
	t.Helper()
	AddImage(t, cp)
	manifests, err := os.ReadFile(filepath.Join(kongtest.ConfDir(t), "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, "", withVariables(string(manifests), variables, settingPrefix+"APISERVER_HOST="+APIServer(t, cp)))
	PermitGatewayServices(t, cp)
	g := &installed{t: t, cp: cp}
	t.Cleanup(g.tellLog)
	g.waitReady(t.Context())
	address := g.address()
	return &Pod{t: t, HTTP: net.JoinHostPort(address, "80"), HTTPS: net.JoinHostPort(address, "443"), installed: g}
}

// AddImage registers the gateway's image with a cluster of the lab. It also starts the load balancer that gives
// addresses to the cluster's Services.
func AddImage(t testing.TB, cp *lab.ControlPlane) {
	t.Helper()
	AddImageAs(t, cp, deployedImage)
}

// AddImageAs is AddImage with a name of the image, without a tag.
func AddImageAs(t testing.TB, cp *lab.ControlPlane, name string) {
	t.Helper()
	lab.Met(t, Gateway())
	cp.Kubelet(t).AddImage(name, image(t))
	cp.LoadBalancer(t)
}

// PermitGatewayServices lets the installed gateway's account write the Services of Gateways.
func PermitGatewayServices(t testing.TB, cp *lab.ControlPlane) {
	t.Helper()
	for _, file := range gatewayServices {
		role, err := os.ReadFile(filepath.Join(kongtest.ConfDir(t), "manifests/gatewayservices", file))
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "", string(role))
	}
}

// APIServer returns the setting APISERVER_HOST for pods of the gateway, because the lab has no DNS.
func APIServer(t testing.TB, cp *lab.ControlPlane) string {
	t.Helper()
	server, err := url.Parse(cp.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	return "https://" + net.JoinHostPort(lab.HostIP, server.Port())
}

func withVariables(manifests string, variables map[string]string, more ...string) string {
	for name, value := range variables {
		more = append(more, name+"="+value)
	}
	env := "        env:\n"
	for _, variable := range more {
		name, value, _ := strings.Cut(variable, "=")
		env += fmt.Sprintf("        - {name: %s, value: %q}\n", name, value)
	}
	return strings.Replace(manifests, "        env:\n", env, 1)
}

// image returns an image like that of docker/Dockerfile. It has this machine's Kong and its libraries, or the stand-in if
// there is no Kong.
func image(t testing.TB) kubelet.Image {
	t.Helper()
	const configuration = "/etc/kong/kong.conf"
	command := "exec " + own + "/bin/standin -c " + configuration
	if kongtest.Installed() {
		nginx, err := kongtest.Nginx()
		if err != nil {
			t.Fatal(err)
		}
		command = `kong prepare -p "$KONG_PREFIX" -c ` + configuration + "\n" +
			"exec '" + nginx + `' -p "$KONG_PREFIX" -c nginx.conf`
	}
	script := filepath.Join(t.TempDir(), "entrypoint")
	if err := os.WriteFile(script, fmt.Appendf(nil, entrypoint, command), 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		configuration:          filepath.Join(kongtest.ConfDir(t), "kong.conf"),
		own + "/lua":           filepath.Join(kongtest.ConfDir(t), "lua"),
		own + "/bin/kube-sync": lab.Executable(t, KubeSync),
		own + "/bin/standin":   lab.Executable(t, StandIn),
	}
	for _, path := range []string{
		"/bin", "/dev", "/lib", "/lib64", "/opt", "/sbin", "/usr",
		"/etc/group", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/resolv.conf", "/etc/ssl",
	} {
		if _, err := os.Stat(path); err == nil {
			files[path] = path
		}
	}
	return kubelet.Image{Executable: script, Path: "/entrypoint", Files: files, Env: map[string]string{
		"KONG_LUA_PACKAGE_PATH":                 own + "/lua/?.lua;;",
		"KONG_NGINX_DAEMON":                     "off",
		"KONG_NGINX_USER":                       "root root", // the user that starts Kong, as in the image
		"KONG_PROXY_ACCESS_LOG":                 "off",
		"KONG_PROXY_ERROR_LOG":                  "/dev/stderr",
		"KONG_ADMIN_ERROR_LOG":                  "/dev/stderr",
		"KONG_PLUGINSERVER_KUBE_SYNC_START_CMD": own + "/bin/kube-sync -kong-prefix /kong_prefix",
		"KONG_PLUGINSERVER_KUBE_SYNC_QUERY_CMD": own + "/bin/kube-sync -dump",
	}}
}

// address returns the load balancer's address of the gateway's Service.
func (g *installed) address() (address string) {
	g.t.Helper()
	eventually.Nil(g.t, time.Minute, func() error {
		s, err := g.cp.Client.CoreV1().Services(installedNamespace).Get(g.t.Context(), deployedService, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if len(s.Status.LoadBalancer.Ingress) == 0 {
			return errors.New("the gateway's Service has no address")
		}
		address = s.Status.LoadBalancer.Ingress[0].IP
		return nil
	})
	return address
}
