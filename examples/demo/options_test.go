package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/freeport"
)

// options of a test, with ports that are free, and a file for each that has to be there.
func testOptions(t *testing.T, args ...string) *options {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	all := []string{"-dir", dir, "-manifests", "../local", "-conf", "../../kong-conf/kong.conf", "-kube-sync", "main.go"}
	for _, name := range []string{"http", "https", "health", "metrics", "shop", "blog"} {
		all = append(all, "-"+name+"-port", strconv.Itoa(freeport.Port(t)))
	}
	o, err := parseOptions(append(all, args...), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPortsFromTheEnvironment(t *testing.T) {
	variables := map[string]string{"HTTP_PORT": "1", "HTTPS_PORT": "2"}
	o, err := parseOptions([]string{"-https-port", "3"}, func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	if o.http.number != 1 || o.https.number != 3 || o.health.number != 10254 {
		t.Errorf("ports %d, %d and %d", o.http.number, o.https.number, o.health.number)
	}
	variables["HTTP_PORT"] = "x"
	if _, err := parseOptions(nil, func(name string) string { return variables[name] }); err == nil || !strings.Contains(err.Error(), "HTTP_PORT=x") {
		t.Errorf("error %v", err)
	}
}

func TestBusyPortNamesTheSetting(t *testing.T) {
	o := testOptions(t)
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", o.health.address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = o.check()
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(o.health.number)) || !strings.Contains(err.Error(), "HEALTH_PORT") {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for setting, value := range map[string]string{
		"-kube-sync": "nothing", "-manifests": "main.go", "-conf": "nothing",
		"-dir": filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
	} {
		if err := testOptions(t, setting, value).check(); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s %s: error %v", setting, value, err)
		}
	}
}

func TestQuote(t *testing.T) {
	if got := quote(`a'b c`); got != `'a'\''b c'` {
		t.Error(got)
	}
}
