package settings

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, environ ...string) Settings {
	t.Helper()
	s, err := Read(append(environ, "KONG_PREFIX="+t.TempDir()), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kong.conf")
	text := "# a comment\nproxy_listen = 127.0.0.1:1 # another\nplugins=bundled,mine\nodd = a \\# b, \\\n  c\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read([]string{"KONG_PROXY_LISTEN=127.0.0.1:2 ssl", "HOME=/"}, file)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := s.Proxy()
	want := []Address{{Setting: "KONG_PROXY_LISTEN", Network: "tcp", Address: "127.0.0.1:2", TLS: true}}
	if diff := cmp.Diff(want, proxy); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if diff := cmp.Diff([]string{"a", "mine"}, s.Plugins([]string{"a"})); diff != "" {
		t.Error(diff)
	}
	if s["odd"] != "a # b, c" || s["home"] != "" {
		t.Errorf("settings %v", s)
	}
	if diff := cmp.Diff([]string{"odd"}, s.Unused()); diff != "" {
		t.Error(diff)
	}
}

func TestProxyListeners(t *testing.T) {
	s := read(t, "KONG_PROXY_LISTEN=127.0.0.1:8000", "KONG_NGINX_PROXY_LISTEN=127.0.0.1:1-2 reuseport; listen 127.0.0.1:3 ssl; listen unix:/a; keepalive_timeout 9")
	got, err := s.Proxy()
	const injected = "KONG_NGINX_PROXY_LISTEN"
	want := []Address{
		{Setting: "KONG_PROXY_LISTEN", Network: "tcp", Address: "127.0.0.1:8000"},
		{Setting: injected, Network: "tcp", Address: "127.0.0.1:1"},
		{Setting: injected, Network: "tcp", Address: "127.0.0.1:2"},
		{Setting: injected, Network: "tcp", Address: "127.0.0.1:3", TLS: true},
		{Setting: injected, Network: "unix", Address: "/a"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, wrong := range []string{"here", "127.0.0.1", "127.0.0.1:a-b", "127.0.0.1:1-99999"} {
		if _, err := read(t, "KONG_NGINX_PROXY_LISTEN="+wrong).Proxy(); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestAdminListeners(t *testing.T) {
	s := read(t, "KONG_NGINX_ADMIN_LISTEN=unix:/a; listen unix:/b backlog=9; keepalive_timeout 9",
		"KONG_ADMIN_LISTEN=127.0.0.1:8001 reuseport", "KONG_NGINX_ADMIN_ALLOW=unix:; deny all")
	got, err := s.Admin()
	want := []Address{
		{Setting: "KONG_ADMIN_LISTEN", Network: "tcp", Address: "127.0.0.1:8001"},
		{Setting: "KONG_NGINX_ADMIN_LISTEN", Network: "unix", Address: "/a"},
		{Setting: "KONG_NGINX_ADMIN_LISTEN", Network: "unix", Address: "/b"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if !s.AdminOnSocketOnly() {
		t.Error("deny all permits requests over TCP")
	}
}

func TestPluginServers(t *testing.T) {
	s := read(t, "KONG_PLUGINSERVER_NAMES=Kube-Sync, other", "KONG_PLUGINSERVER_KUBE_SYNC_START_CMD=/bin/x -a")
	want := []PluginServer{{Name: "kube-sync", StartCommand: "/bin/x -a"}}
	if diff := cmp.Diff(want, s.PluginServers()); diff != "" {
		t.Error(diff)
	}
}

func TestWriteEnv(t *testing.T) {
	s := read(t, "KONG_PLUGINSERVER_X_COLOR=#fff")
	if err := s.WriteEnv(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s["prefix"], ".kong_env")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "\npluginserver_x_color = \\#fff\n") {
		t.Errorf("%s", data)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&^0o640 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestRefusedSettings(t *testing.T) {
	for setting, part := range map[string]string{
		"KONG_ROUTER_FLAVOR=traditional":      "KONG_ROUTER_FLAVOR",
		"KONG_DATABASE=postgres":              "KONG_DATABASE",
		"KONG_ADMIN_LISTEN=0.0.0.0:8001":      "loopback only",
		"KONG_PROXY_LISTEN=nonsense":          "KONG_PROXY_LISTEN",
		"KONG_NGINX_ADMIN_LISTEN=127.0.0.1:1": "unix:PATH",
	} {
		s := read(t, setting)
		_, adminErr := s.Admin()
		_, proxyErr := s.Proxy()
		found := false
		for _, err := range []error{s.Check(), adminErr, proxyErr} {
			found = found || err != nil && strings.Contains(err.Error(), part)
		}
		if !found {
			t.Errorf("%s: no error about %s", setting, part)
		}
	}
}

func TestBusyAddressNamesTheSetting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Address{Setting: "KONG_PROXY_LISTEN", Network: "tcp", Address: l.Addr().String()}.Listen()
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "KONG_PROXY_LISTEN") {
		t.Errorf("error %v", err)
	}
}

func TestSocketOfADeadGatewayIsReplaced(t *testing.T) {
	a := Address{Setting: "S", Network: "unix", Address: filepath.Join(t.TempDir(), "sockets", "a.sock")}
	first, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen(); err == nil {
		t.Error("the socket of a running gateway was removed")
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	second, err := a.Listen()
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}
