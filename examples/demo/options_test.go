package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"slices"
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
	for _, name := range []string{"http", "https", "health", "metrics", "page", "shop", "blog"} {
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

func TestAllBusyPortsAreNamed(t *testing.T) {
	o := testOptions(t)
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	settings := map[string]port{"HTTP_PORT": o.http, "HEALTH_PORT": o.health, "BLOG_PORT": o.blog}
	for _, p := range settings {
		l, err := net.Listen("tcp", p.address())
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	err := o.check()
	if err == nil {
		t.Fatal("no error")
	}
	for variable, p := range settings {
		for _, part := range []string{strconv.Itoa(p.number), variable, fmt.Sprintf("(process %d)", os.Getpid())} {
			if !slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(line string) bool {
				return strings.Contains(line, variable) && strings.Contains(line, part)
			}) {
				t.Errorf("no line has %s and %s: %v", variable, part, err)
			}
		}
	}
	if strings.Contains(err.Error(), "METRICS_PORT") {
		t.Errorf("a free port is named: %v", err)
	}
}

func TestOnePortForTwoIsNamed(t *testing.T) {
	o := testOptions(t)
	o.https.number = o.http.number
	if err := o.check(); err == nil || !strings.Contains(err.Error(), "HTTPS_PORT") {
		t.Errorf("error %v", err)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for setting, value := range map[string]string{
		"-kube-sync": "nothing", "-manifests": "main.go", "-conf": "nothing", "-dir": "main.go",
	} {
		if err := testOptions(t, setting, value).check(); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s %s: error %v", setting, value, err)
		}
	}
}

func TestUnusableDirectoriesAreReplaced(t *testing.T) {
	for _, dir := range []string{"/tmp/" + strings.Repeat("long", 30), "/tmp/a b", "/tmp/$a", "/tmp/a;b", "/tmp/a'b", "/tmp/{a}", "/tmp/a:b"} {
		o := &options{dir: dir, out: io.Discard}
		if err := o.settleDir(); err != nil || o.dir == dir || !plainPath.MatchString(o.dir) {
			t.Errorf("%s: replaced by %s, error %v", dir, o.dir, err)
		}
		if err := os.Remove(o.dir); err != nil {
			t.Error(err)
		}
		if err := os.Symlink(t.TempDir(), o.dir); err != nil { // as another user might
			t.Fatal(err)
		}
		other := &options{dir: dir, out: io.Discard}
		if err := other.settleDir(); err == nil || !strings.Contains(err.Error(), "-dir") {
			t.Errorf("%s is a link to elsewhere: error %v", o.dir, err)
		}
		os.Remove(o.dir)
	}
	plain := &options{dir: "/tmp/plain", out: io.Discard}
	if err := plain.settleDir(); err != nil || plain.dir != "/tmp/plain" {
		t.Errorf("replaced by %s, error %v", plain.dir, err)
	}
}

func TestQuote(t *testing.T) {
	if got := quote(`a'b c`); got != `'a'\''b c'` {
		t.Error(got)
	}
}
