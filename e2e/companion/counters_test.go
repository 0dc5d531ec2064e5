package companion

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// countsInWorkers is the code of a route that increments or reads counters of owners. It answers with
// the number of counters that existed, and the last error. With the argument held it never releases the lock.
const countsInWorkers = `
local dict = ngx.shared.kube_sync_counters
local store = require("kong.plugins.kube-sync-tenants.counters").new(dict)
return function()
  local arg = ngx.req.get_uri_args()
  local now = ngx.time()
  local date = arg.period == "second" and now * 1000 or (now - now % 86400) * 1000
  if arg.held then
    dict:incr("lock", 1)
  end
  local found, failed = 0, ""
  for i = tonumber(arg.from), tonumber(arg.to) do
    local n, err
    if arg.read then
      n, err = store:get(arg.owner, arg.period, date, "counter-" .. i)
    else
      n, err = store:add(arg.owner, arg.period, date, "counter-" .. i, 1)
    end
    found = found + (n and 1 or 0)
    failed = err or failed
  end
  return kong.response.exit(200, "", { ["X-Found"] = found, ["X-Failed"] = failed })
end`

// counting is a Kong with room for about 1 300 counters.
type counting struct{ *kong }

func startCounting(t *testing.T) counting {
	t.Helper()
	k := start(t, "KONG_NGINX_HTTP_LUA_SHARED_DICT=kube_sync_counters 256k", "KONG_STREAM_LISTEN=off")
	c := empty()
	c.put("routes", entity{"id": id("count"), "name": "count", "protocols": []string{"http"}, "expression": `http.path == "/count"`})
	c.put("plugins", entity{"id": id("count"), "name": "pre-function", "route": id("count"), "config": entity{"access": []string{countsInWorkers}}})
	k.load(c)
	return counting{k}
}

// count increments or reads the first counters of an owner, and returns how many existed.
func (c counting) count(owner, period string, most int, how string) int {
	c.t.Helper()
	return c.span(owner, period, 1, most, how)
}

func (c counting) span(owner, period string, from, to int, how string) int {
	c.t.Helper()
	response, err := c.client.Get(fmt.Sprintf("http://127.0.0.1:%d/count?owner=%s&period=%s&from=%d&to=%d&%s", c.proxy, owner, period, from, to, how))
	if err != nil {
		c.t.Fatal(err)
	}
	_ = response.Body.Close()
	found, err := strconv.Atoi(response.Header.Get("X-Found"))
	if failed := response.Header.Get("X-Failed"); err != nil || failed != "" || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%d %v: %s", response.StatusCode, err, failed)
	}
	return found
}

// flood increments many counters of an owner, in all workers at once.
func (c counting) flood(owner, period string) {
	c.t.Helper()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { c.span(owner, period, 1000*i+1, 1000*(i+1), "") })
	}
	all.Wait()
}

const counted = 20 // counters of an owner that has few

// TestCounters fills the memory with counters of some owners, and checks which counters others keep.
func TestCounters(t *testing.T) {
	c := startCounting(t)
	c.count("few", "year", counted, "")
	c.flood("many", "year")
	c.flood("many", "minute")
	if alone := c.count("many", "year", 20_000, "read") + c.count("many", "minute", 20_000, "read"); alone < 1200 {
		t.Errorf("an owner who is nearly alone has %d counters", alone)
	}
	if found := c.count("few", "year", counted, "read"); found != counted {
		t.Errorf("of %d counters a flood leaves %d", counted, found)
	}

	// As many as fit, most of them of another owner.
	const fair = 500
	if found := c.count("another", "day", fair, ""); found != fair {
		t.Errorf("%d counters are new", found)
	}
	c.flood("many", "year")
	if found := c.count("another", "day", fair, "read"); found != fair {
		t.Errorf("of %d counters a flood leaves %d", fair, found)
	}

	// Expired counters are evicted before others.
	c.count("mixed", "year", counted, "")
	c.count("mixed", "second", fair, "")
	time.Sleep(2500 * time.Millisecond)
	c.flood("many", "year")
	if found := c.count("mixed", "year", counted, "read"); found != counted {
		t.Errorf("of %d counters that live, beside others whose time is over, a flood leaves %d", counted, found)
	}
	if found := c.count("few", "year", counted, "read"); found != counted {
		t.Errorf("of %d counters floods leave %d", counted, found)
	}
}

// TestCountersOfManyOwners has more owners than any of them may have counters.
func TestCountersOfManyOwners(t *testing.T) {
	c := startCounting(t)
	c.flood("many", "year")
	const owners = 60
	for owner := range owners {
		c.count(fmt.Sprint("owner-", owner), "year", 5, "")
	}
	c.flood("many", "hour")
	for owner := range owners {
		if found := c.count(fmt.Sprint("owner-", owner), "year", 5, "read"); found != 5 {
			t.Errorf("of 5 counters of owner %d a flood leaves %d", owner, found)
		}
	}
}

// TestCountersAfterAWorkerEnded takes the lock and never releases it, like a worker that has ended.
func TestCountersAfterAWorkerEnded(t *testing.T) {
	c := startCounting(t)
	c.flood("many", "year")
	for range 2 {
		c.count("few", "year", 200, "held")
	}
	if found := c.count("few", "year", 200, "read"); found != 200 {
		t.Errorf("of 200 counters there are %d", found)
	}
}
