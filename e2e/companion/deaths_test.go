package companion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// overlaid starts a Kong in which modules of Kong or the companion are changed by code of the test.
// The code has the module in the variable "module".
func overlaid(t *testing.T, code map[string]string, settings ...string) *kong {
	t.Helper()
	return start(t, append(settings, "KONG_LUA_PACKAGE_PATH="+overlay(t, code))...)
}

// overlay returns a Lua path with changed modules.
func overlay(t *testing.T, code map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, around := range code {
		path := filepath.Join(dir, strings.ReplaceAll(name, ".", "/")+".lua")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		loaded := fmt.Sprintf("local module = dofile(package.searchpath(%q, (package.path:gsub(\"^[^;]*;\", \"\"))))\n", name) +
			"local ffi = require \"ffi\"\npcall(ffi.cdef, \"int getpid(void); int kill(int pid, int sig);\")\n" +
			"local function die() ffi.C.kill(ffi.C.getpid(), 11); ngx.sleep(1) end\n" + around + "\nreturn module\n"
		if err := os.WriteFile(path, []byte(loaded), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return kongtest.LuaPath(t, dir)
}

// routed returns a configuration with routes of these names.
func routed(names ...string) config {
	c := empty()
	c.put("services", entity{"id": id("s"), "name": "s", "host": "s.test"})
	for _, name := range names {
		c.put("routes", entity{"id": id(name), "name": name, "service": id("s"), "protocols": []string{"http"},
			"expression": fmt.Sprintf(`http.host == "%s.test"`, name)})
	}
	return c
}

// locked is less than Kong's minute for the lock of a worker that has ended, and more than a change takes
// on a busy machine.
const locked = 50 * time.Second

// TestADeadWorkerDoesNotLock ends a worker that holds the configuration lock. The next change is
// accepted at once, and not after a minute.
func TestADeadWorkerDoesNotLock(t *testing.T) {
	k := overlaid(t, map[string]string{"kong.plugins.kube-sync-delta.plan": `
local of = module.of
module.of = function(changes, hash)
  for _, route in pairs(changes.upserts.routes) do
    if route.name == "deadly" then die() end
  end
  return of(changes, hash)
end`})
	now := routed("one")
	k.load(now)
	if code, err := k.tell("/kube-sync/delta", difference(now, routed("one", "deadly")).json()); err == nil {
		t.Fatalf("the worker did not end, and answered %d", code)
	}
	next := routed("one", "two")
	begun := time.Now()
	k.Eventually("a change", func() bool {
		code, err := k.tell("/kube-sync/delta", difference(now, next).json())
		return err == nil && code == http.StatusOK
	})
	if took := time.Since(begun); took > locked {
		t.Errorf("it took %v", took)
	}
	if code, err := k.tell("/kube-sync/delta", difference(next, routed("deadly")).json()); err == nil {
		t.Fatalf("the worker did not end, and answered %d", code)
	}
	begun = time.Now()
	k.Eventually("a full load", func() bool {
		code, err := k.tell("/config", now.body())
		return err == nil && code == http.StatusCreated
	})
	if took := time.Since(begun); took > locked {
		t.Errorf("it took %v", took)
	}
}

// tell sends a request to a Kong whose workers may end over it.
func (k *kong) tell(path string, body []byte) (int, error) {
	contentType := "application/json"
	if path == "/config" {
		contentType = "text/yaml"
	}
	r, err := k.client.Post(k.adminURL(path), contentType, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return r.StatusCode, err
}

// ready reports whether all workers use the configuration that Kong holds.
func (k *kong) ready() bool {
	r, err := k.client.Get(k.adminURL("/kube-sync/delta"))
	if err != nil {
		return false
	}
	defer func() { _ = r.Body.Close() }()
	var status answer
	return json.NewDecoder(r.Body).Decode(&status) == nil && status.Ready
}

// effective reports whether all workers have the configuration with a hash.
func (k *kong) effective(hash string) bool {
	var status answer
	r, err := k.client.Get(k.adminURL("/kube-sync/delta"))
	if err != nil {
		return false
	}
	defer func() { _ = r.Body.Close() }()
	return json.NewDecoder(r.Body).Decode(&status) == nil && status.Hash == hash && status.Ready
}

// TestAChangeOverWhichWorkersEnd sends a change over which each worker ends, also when it starts. Kong
// reverts the change.
func TestAChangeOverWhichWorkersEnd(t *testing.T) {
	k := overlaid(t, deadlyRouter)
	now := routed("one", "two")
	k.load(now)
	bad := routed("one", "deadly")
	before := k.Workers()
	code, err := k.tell("/kube-sync/delta", difference(now, bad).json())
	t.Logf("answered %d, %v", code, err)
	k.Eventually("the configuration of before in other workers", func() bool {
		return k.effective(now.hash()) && !slices.Equal(before, k.Workers())
	})
	for _, name := range []string{"one", "two"} {
		for _, want := range []want{{host: name + ".test", path: "/", code: http.StatusServiceUnavailable}} {
			k.answers(want)
		}
	}
	loaded := k.stored()
	next := routed("one", "two", "three")
	k.apply(difference(now, next))
	k.apply(difference(next, now))
	sameStored(t, loaded, k.stored())
}

// TestChangesAfterOneOverWhichWorkersEnd commits further changes before workers take over one over
// which they end. Kong reverts as many as it has to.
func TestChangesAfterOneOverWhichWorkersEnd(t *testing.T) {
	k := overlaid(t, map[string]string{"kong.router.expressions": strings.Replace(deadlyRouter["kong.router.expressions"], "die()", "ngx.sleep(2) die()", 1)})
	now := routed("one")
	k.load(now)
	bad := routed("one", "deadly")
	last := bad
	if code, err := k.tell("/kube-sync/delta", difference(now, bad).json()); code != http.StatusOK {
		t.Fatalf("answered %d, %v", code, err)
	}
	for _, name := range []string{"two", "three"} {
		next := last.clone()
		next.put("routes", routed(name)["routes"][id(name)])
		if code, err := k.tell("/kube-sync/delta", difference(last, next).json()); code != http.StatusOK {
			t.Fatalf("%s: answered %d, %v", name, code, err)
		}
		last = next
	}
	k.Eventually("the configuration of before", func() bool { return k.effective(now.hash()) })
	k.apply(difference(now, routed("one", "two")))
}

// TestALoadOverWhichWorkersEnd sends a full load with which no worker can start. Kong then has no
// configuration, and its workers accept another one.
func TestALoadOverWhichWorkersEnd(t *testing.T) {
	k := overlaid(t, deadlyRouter)
	k.load(routed("one"))
	code, err := k.tell("/config", routed("one", "deadly").body())
	t.Logf("answered %d, %v", code, err)
	k.Eventually("an empty configuration", func() bool { return k.effective(strings.Repeat("0", 32)) })
	k.load(routed("one", "two"))
}

// deadlyRouter ends workers that build a router with a certain route.
var deadlyRouter = map[string]string{"kong.router.expressions": `
local new = module.new
module.new = function(routes, ...)
  for _, entry in ipairs(routes) do
    if entry.route.name:find("deadly") then die() end
  end
  return new(routes, ...)
end`}
