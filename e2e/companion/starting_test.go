package companion

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holds are places in Kong's workers where the test can make them wait. A file with the name of the place makes
// each worker wait there until the file is removed, and write a file with its process id.
type holds struct {
	t   *testing.T
	dir string
}

// at returns code that calls a Lua function hold with the name of a place.
func (h holds) at(code string) string {
	return fmt.Sprintf(`
pcall(ffi.cdef, "int usleep(unsigned int microseconds);")
local function held(place)
  local file = io.open(%[1]q .. place)
  return file and file:close()
end
local function hold(place)
  if held(place) then
    io.open(%[1]q .. place .. "." .. ngx.worker.pid(), "w"):close()
    while held(place) do
      if ngx.get_phase() == "init_worker" then ffi.C.usleep(2000) else ngx.sleep(0.002) end
    end
  end
end
`, h.dir+"/") + code
}

func (h holds) close(place string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, place), nil, 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h holds) open(place string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.dir, place)); err != nil {
		h.t.Fatal(err)
	}
}

// waiting returns the number of workers that wait at a closed place.
func (h holds) waiting(place string) int {
	found, _ := filepath.Glob(filepath.Join(h.dir, place+".*"))
	return len(found)
}

// held starts a Kong whose workers wait at closed places: "service" when they read a service while they start,
// "http-started" and "stream-started" when they have built a router and do not receive events yet, "http-follow" and
// "stream-follow" when they change that router, "plan" when they follow a delta, and "commit" before LMDB takes a
// change.
func held(t *testing.T, settings ...string) (*kong, holds) {
	h := holds{t, t.TempDir()}
	return overlaid(t, map[string]string{
		"kong.runloop.handler": h.at(`
local before = module.init_worker.before
module.init_worker.before = function()
  hold(ngx.config.subsystem .. "-started")
  return before()
end`),
		"kong.router.expressions": h.at(`
local new = module.new
module.new = function(...)
  local place = ngx.config.subsystem .. "-"
  if held(place .. "started." .. ngx.worker.pid()) then hold(place .. "follow") end
  return new(...)
end`),
		"resty.lmdb.transaction": h.at(`
local begin = module.begin
module.begin = function(...)
  local txn = begin(...)
  local commit = txn.commit
  txn.commit = function(self)
    if self.write and ngx.get_phase() ~= "init_worker" then hold("commit") end
    return commit(self)
  end
  return txn
end`),
		"kong.plugins.kube-sync-delta.journal": h.at(`
local plan = module.plan
module.plan = function(base)
  if ngx.get_phase() ~= "init_worker" then hold("plan") end
  return plan(base)
end`),
		"kong.db.strategies.off": h.at(`
local new = module.new
module.new = function(connector, schema, ...)
  local strategy = new(connector, schema, ...)
  if schema.name == "services" then
    local select = strategy.select
    strategy.select = function(...)
      if ngx.get_phase() == "init_worker" then hold("service") end
      return select(...)
    end
  end
  return strategy
end`),
	}, settings...), h
}

var noStreams = "KONG_STREAM_LISTEN=off"

// commits are the two ways to send a configuration to Kong.
var commits = map[string]func(*kong, config, config) (int, error){
	"full load": func(k *kong, _, to config) (int, error) { return k.tell("/config", to.body()) },
	"delta": func(k *kong, from, to config) (int, error) {
		return k.tell("/kube-sync/delta", difference(from, to).json())
	},
}

// code returns the status of the answer to a request, from any worker, or 0.
func (k *kong) code(host string) int {
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", k.proxy), nil)
	if err != nil {
		k.t.Fatal(err)
	}
	request.Host = host
	response, err := fresh.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// started returns the process ids of all workers, once nginx has set their titles, shortly after they start.
func (k *kong) started() []int {
	k.t.Helper()
	k.Eventually("all workers", func() bool { return len(k.Workers()) == workers })
	return k.Workers()
}

// kill ends a worker, and returns its process id.
func (k *kong) kill(worker int) int {
	k.t.Helper()
	pid := k.started()[worker]
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		k.t.Fatal(err)
	}
	return pid
}

// routes fails unless all of many requests get the route of one host, and none that of another.
func (k *kong) routes(host, gone string) {
	k.t.Helper()
	for range 100 {
		if code := k.code(host); code != http.StatusServiceUnavailable {
			k.t.Fatalf("%s: answered %d\nstatus %+v\n%s", host, code, k.status(), k.Complaints())
		}
		if code := k.code(gone); code != http.StatusNotFound {
			k.t.Fatalf("%s: answered %d\nstatus %+v\n%s", gone, code, k.status(), k.Complaints())
		}
	}
}

// TestAWorkerThatStartsDuringAChange kills a worker. The next one has built its router when the configuration
// changes, and gets the event later. Until it has followed the change, Kong is not ready.
func TestAWorkerThatStartsDuringAChange(t *testing.T) {
	for name, commit := range commits {
		for worker := range workers {
			t.Run(fmt.Sprintf("%s, worker %d", name, worker), func(t *testing.T) {
				k, h := held(t, noStreams)
				from, to := routed("old"), routed("new")
				k.load(from)

				h.close("http-started")
				k.kill(worker)
				k.Eventually("a worker that starts", func() bool { return h.waiting("http-started") == 1 })
				if code, err := commit(k, from, to); err != nil || code/100 != 2 {
					t.Fatalf("answered %d, %v", code, err)
				}

				h.close("http-follow")
				h.open("http-started")
				stale := 0
				k.Eventually("answers of the former configuration", func() bool {
					if k.code("new.test") == http.StatusNotFound {
						stale++
					}
					return stale > 10
				})
				if status := k.status(); status.Ready {
					t.Errorf("Kong says that it is ready while workers do not have its configuration: %+v", status)
				}
				h.open("http-follow")
				k.Eventually("the configuration in all workers", func() bool { return k.effective(to.hash()) })
				k.routes("new.test", "old.test")
			})
		}
	}
}

// TestAStreamWorkerThatStartsDuringAChange is the same for the stream subsystem.
func TestAStreamWorkerThatStartsDuringAChange(t *testing.T) {
	for name, commit := range commits {
		t.Run(name, func(t *testing.T) {
			k, h := held(t)
			backends := startBackends(t, 2).tcp
			leading := func(port int) config {
				c := empty()
				c.put("services", entity{"id": id("tcp"), "name": "tcp", "protocol": "tcp", "host": "127.0.0.1", "port": port})
				c.put("routes", entity{"id": id("tcp"), "name": "tcp", "protocols": []string{"tcp"}, "service": id("tcp"),
					"expression": fmt.Sprintf("net.dst.port == %d", k.streams[0])})
				return c
			}
			from, to := leading(backends[0]), leading(backends[1])
			k.load(from)
			k.leads(k.streams[0], backends[:1])

			h.close("stream-started")
			k.kill(1)
			k.Eventually("a worker that starts", func() bool { return h.waiting("stream-started") == 1 })
			if code, err := commit(k, from, to); err != nil || code/100 != 2 {
				t.Fatalf("answered %d, %v", code, err)
			}
			h.close("stream-follow")
			h.open("stream-started")
			k.Eventually("a worker that is to follow", func() bool { return h.waiting("stream-follow") == 1 })
			for range 50 {
				if status := k.status(); status.Ready {
					t.Fatalf("Kong says that it is ready while workers do not have its configuration: %+v", status)
				}
			}
			h.open("stream-follow")
			k.Eventually("the configuration in all workers", func() bool { return k.effective(to.hash()) })
			k.leads(k.streams[0], backends[1:])
		})
	}
}

// TestAWorkerThatStartsAfterAChange kills a worker that has the event of a change and has not followed it. The next
// one starts with the configuration after the change, and gets no event. It must not use the revoked key from the
// cache that workers share.
func TestAWorkerThatStartsAfterAChange(t *testing.T) {
	k, h := held(t, noStreams)
	to := routed("one")
	to.put("consumers", entity{"id": id("ann"), "username": "ann"})
	to.put("plugins", entity{"id": id("auth"), "name": "key-auth", "route": id("one")})
	from := to.clone()
	from.put("keyauth_credentials", entity{"id": id("key"), "key": "ann's", "consumer": id("ann")})
	k.load(from)
	asked := want{host: "one.test", path: "/", code: http.StatusServiceUnavailable, headers: map[string]string{"apikey": "ann's"}}
	k.answers(asked)

	h.close("plan")
	if code, err := commits["delta"](k, from, to); err != nil || code != http.StatusOK {
		t.Fatalf("answered %d, %v", code, err)
	}
	k.Eventually("workers that are to follow", func() bool { return h.waiting("plan") == workers })
	killed := k.kill(1)
	k.Eventually("another worker", func() bool {
		found := k.Workers()
		return len(found) == workers && !slices.Contains(found, killed)
	})
	asked.code = http.StatusUnauthorized
	k.Eventually("answers of both workers", func() bool {
		wrong, worker := k.try(asked)
		if wrong != "" && worker == "1" {
			t.Fatalf("the worker that was built after the change: %s", wrong)
		}
		return worker == "1"
	})
	h.open("plan")
	k.Eventually("the configuration in all workers", func() bool { return k.effective(to.hash()) })
	k.answers(asked)
}

// TestAWorkerThatReadsTwoConfigurations kills a worker. The next one reads the routes of one configuration, and
// their services from another, in which they are gone.
func TestAWorkerThatReadsTwoConfigurations(t *testing.T) {
	for name, commit := range commits {
		t.Run(name, func(t *testing.T) {
			k, h := held(t, noStreams)
			from, to := routed("old"), empty()
			to.put("services", entity{"id": id("another"), "name": "another", "host": "s.test"})
			to.put("routes", entity{"id": id("new"), "name": "new", "service": id("another"), "protocols": []string{"http"},
				"expression": `http.host == "new.test"`})
			k.load(from)

			h.close("service")
			k.kill(1)
			k.Eventually("a worker that starts", func() bool { return h.waiting("service") == 1 })
			if code, err := commit(k, from, to); err != nil || code/100 != 2 {
				t.Fatalf("answered %d, %v", code, err)
			}
			h.open("service")
			k.Eventually("the configuration in all workers", func() bool { return k.effective(to.hash()) })
			k.routes("new.test", "old.test")
		})
	}
}

// TestAReloadDuringAChange reloads Kong's workers. One of the former workers commits a change when the next ones
// have built their routers. They do not get its event any more.
func TestAReloadDuringAChange(t *testing.T) {
	for name, commit := range commits {
		t.Run(name, func(t *testing.T) {
			k, h := held(t, noStreams)
			from, to := routed("old"), routed("new")
			k.load(from)
			before := k.started()

			h.close("commit")
			answered := make(chan string, 1)
			go func() {
				code, err := commit(k, from, to)
				answered <- fmt.Sprintf("%d, %v", code, err)
			}()
			k.Eventually("a worker that commits", func() bool { return h.waiting("commit") == 1 })
			h.close("http-started")
			k.Reload()
			k.Eventually("workers that start", func() bool { return h.waiting("http-started") == workers })
			// nginx names a process a worker when it has started
			k.Eventually("former workers that end", func() bool { return len(k.Workers()) == 0 })
			h.open("commit")
			t.Logf("answered %s", <-answered)
			h.open("http-started")
			k.Eventually("the end of the former workers", func() bool {
				return !slices.ContainsFunc(before, func(pid int) bool {
					line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
					return err == nil && strings.Contains(string(line), "worker process")
				})
			})
			begun := time.Now()
			k.Eventually("the configuration in all workers", func() bool { return k.effective(to.hash()) })
			t.Logf("Kong is ready after %v", time.Since(begun))
			k.routes("new.test", "old.test")
		})
	}
}
