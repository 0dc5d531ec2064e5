package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// sick returns what is known inside of a container whose limits are exhausted. Its Kong does not run.
func sick(t *testing.T) *Inside {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file(".kong_env", "database = off\nrouter_flavor = expressions\nlmdb_map_size = 1m\nmem_cache_size = 64m\nplugins = bundled\nnginx_admin_listen = unix:"+dir+"/admin.sock\n")
	file("conf", "# a comment\nmem_cache_size = 128m\nplugins = bundled, \\\n  kube-sync-delta\nrouter_flavor = expressions\n")
	file("dbless.lmdb/data.mdb", string(make([]byte, 900<<10)))
	file("cgroup/memory.max", strconv.Itoa(100<<20)+"\n")
	file("cgroup/memory.current", strconv.Itoa(90<<20)+"\n")
	file("pids/nginx.pid", "7\n")
	file("proc/7/limits", "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files\n")
	in := NewInside(dir, []string{"POD_NAMESPACE=kong", "POD_NAME=kong-1"})
	in.Conf, in.Cgroup, in.Proc = filepath.Join(dir, "conf"), filepath.Join(dir, "cgroup"), filepath.Join(dir, "proc")
	in.Lookup = func(context.Context, string) ([]string, error) { return nil, errors.New("no such host") }
	return in
}

func TestInsideOfASickContainer(t *testing.T) {
	found := sick(t).examine(t.Context())
	for _, want := range []struct {
		area    string
		state   State
		message string
	}{
		{"kong", Warning, `mem_cache_size is "64m", not "128m"; plugins is "bundled", not "bundled,kube-sync-delta"`},
		{"kong", Failure, "does not answer"},
		{"dns", Warning, "no such host"},
		{"limits", Warning, "memory: 90Mi of 100Mi used (90 %)"},
		{"limits", Warning, "lmdb_map_size: "},
		{"limits", Warning, "Kong may open 1024 files"},
	} {
		if !wanted(found, want.area, want.state, want.message) {
			t.Errorf("want %+v in %+v", want, found)
		}
	}
	unlimited := sick(t)
	if err := os.WriteFile(filepath.Join(unlimited.Cgroup, "memory.max"), []byte("max\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := unlimited.examine(t.Context()); !wanted(found, "limits", Warning, "no memory limit") {
		t.Errorf("without a memory limit: %+v", found)
	}
}

func TestInsideWithoutKongsSettings(t *testing.T) {
	in := NewInside(t.TempDir(), nil)
	if found := in.examine(t.Context()); !wanted(found, "kong", Failure, "cannot be read") {
		t.Errorf("%+v", found)
	}
	if found := (Doctor{Inside: in, Unreachable: errors.New("no")}).Examine(t.Context()); !wanted(found[0].Findings, "kong", Failure, "cannot be read") {
		t.Errorf("%+v", found)
	}
}

// TestInsideOfARealKong asks a real Kong that has no configuration, and whose plugins do not examine
// requests.
func TestInsideOfARealKong(t *testing.T) {
	kong := kongtest.Start(t, kongtest.Options{Settings: []string{"KONG_PLUGINS=bundled,kube-sync-delta"}})
	in := NewInside(kong.Prefix, nil)
	in.Conf = filepath.Join(kongtest.ConfDir(t), "kong.conf")
	if in.Unread != nil {
		t.Fatal(in.Unread)
	}
	found := in.examine(t.Context())
	version, err := kongtest.Version()
	if err != nil {
		t.Fatal(err)
	}
	// These depend on the machine.
	for _, message := range []string{"disk of the prefix", "disk of the persisted configuration", "Kong may open"} {
		if !wanted(found, "limits", OK, message) && !wanted(found, "limits", Warning, message) {
			t.Errorf("nothing is said about %q in %+v", message, found)
		}
	}
	for _, want := range []struct {
		area    string
		state   State
		message string
	}{
		{"kong", Warning, "Kong " + version + " has known vulnerabilities"},
		{"kong", Warning, "its plugin kube-sync-request is not enabled"},
		{"kong", Failure, "Kong has no configuration yet"},
		{"kong", Warning, `lmdb_map_size is "64m", not "2048m"`},
		{"limits", OK, "lmdb_map_size: "},
	} {
		if !wanted(found, want.area, want.state, want.message) {
			t.Errorf("want %+v in %+v", want, found)
		}
	}
}
