package kongtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a shell script into a directory.
func program(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// pathOf puts the directory of fake programs before those of the machine.
func pathOf(t *testing.T, dir string) {
	t.Helper()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

func TestNginxIsTheOneKongNames(t *testing.T) {
	dir := t.TempDir()
	nginx := filepath.Join(dir, "elsewhere-nginx")
	program(t, dir, "elsewhere-nginx", "")
	program(t, dir, "kong", `echo "[debug] found OpenResty 'nginx' executable at `+nginx+`"; exit 1`)
	pathOf(t, dir)
	if got, err := findNginx(); got != nginx || err != nil {
		t.Errorf("found %q, %v; want %q", got, err, nginx)
	}
}

func TestNginxIsMissing(t *testing.T) {
	for name, c := range map[string]struct{ kong, want string }{
		"not found": {
			"echo 'Error: could not find OpenResty \"nginx\" executable. Kong requires version 1.25.3.2' >&2; exit 1",
			"Kong requires version 1.25.3.2",
		},
		"not looked for": {"echo 'no such setting' >&2; exit 1", "no such setting"},
		"silent":         {"exit 0", "does not name an nginx"},
		"no interpreter": {"exec resty-that-does-not-exist", "resty-that-does-not-exist"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program(t, dir, "kong", c.kong)
			pathOf(t, dir)
			got, err := findNginx()
			if err == nil || got != "" || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "KONG_OPENRESTY_PATH") {
				t.Errorf("found %q; error: %v\nwant one with %q", got, err, c.want)
			}
		})
	}
}

// A real Kong passes over an nginx of another version and follows its setting openresty_path.
func TestNginxOfRealKong(t *testing.T) {
	kong, err := exec.LookPath("kong")
	if err != nil {
		t.Skip("no kong is on PATH: its own search is not tested")
	}
	right, err := findNginx()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program(t, dir, "nginx", "echo 'nginx version: openresty/1.11.2.1' >&2")
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+":"+path)
	t.Setenv("KONG_OPENRESTY_PATH", filepath.Join(dir, "nowhere"))
	if got, err := findNginx(); err == nil || !strings.Contains(err.Error(), "could not find OpenResty") {
		t.Errorf("%s with another openresty_path: found %q, %v", kong, got, err)
	}
	openresty := filepath.Join(dir, "openresty/nginx/sbin")
	if err := os.MkdirAll(openresty, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(right, filepath.Join(openresty, "nginx")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KONG_OPENRESTY_PATH", filepath.Join(dir, "openresty"))
	if got, err := findNginx(); got != filepath.Join(openresty, "nginx") || err != nil {
		t.Errorf("with openresty_path: found %q, %v", got, err)
	}
	if err := os.Unsetenv("KONG_OPENRESTY_PATH"); err != nil {
		t.Fatal(err)
	}
	if got, err := findNginx(); err != nil || strings.HasPrefix(got, dir) {
		t.Errorf("with an older nginx first on PATH: found %q, %v", got, err)
	}
}
