-- What a worker does to follow the configuration in LMDB, and what it says about it. A
-- takeover looks at the present state of what a plan names and never at the order of
-- events, so doing it again does no harm.
local balancing = require "kong.plugins.kube-sync-delta.balancing"
local concurrency = require "kong.concurrency"
local constants = require "kong.constants"
local few = require "kong.plugins.kube-sync-delta.few"
local get_current_hash = require("kong.db.declarative").get_current_hash
local handler = require "kong.runloop.handler"
local journal = require "kong.plugins.kube-sync-delta.journal"
local pools = require "kong.plugins.kube-sync-delta.pools"
local routing = require "kong.plugins.kube-sync-delta.routing"
local trial = require "kong.plugins.kube-sync-delta.trial"


local SOURCE = "kube-sync-delta"

-- How long a worker may lag behind before it does what it does after a full load, and
-- after how long it tries again to take a change over.
local PATIENCE = 5
local RETRY = 1
local ATTEMPTS = 3

-- Between two looks at how far a full load is.
local LOOK = 0.02

local MUTEX = { name = SOURCE, timeout = 60 }


local _M = {}


-- The hash of the configuration that this worker works by.
local at
-- The hash this worker was seen to lag behind, and since when.
local behind, since
local failures = 0
-- The full load that Kong is at.
local loading


local function record()
  if not ngx.worker.exiting() then
    ngx.shared.kong:set(SOURCE .. ":" .. ngx.worker.id(), at or "")
  end
end


-- The hashes that the workers of this subsystem work by.
function _M.effective()
  local hashes = {}
  for id = 0, ngx.worker.count() - 1 do
    hashes[id + 1] = ngx.shared.kong:get(SOURCE .. ":" .. id) or ""
  end

  return hashes
end


-- Tells the workers of this subsystem. Without a base they look whether they lag.
function _M.notify(base)
  local ok, err = kong.worker_events.post(SOURCE, "delta", { base = base })
  if not ok then
    kong.log.err("workers could not be told of a change: ", err)
  end
end


-- Each worker drops its own copy and the shared one. Kong's invalidate would broadcast
-- each key by an event of its own, and those are limited to some 2000 a second.
local function drop(keys)
  for store, dropped in pairs(keys) do
    local mlcache = kong[store].mlcache
    for key in pairs(dropped) do
      local name = mlcache.name .. key
      mlcache.dict:delete(name)
      if mlcache.dict_miss then
        mlcache.dict_miss:delete(name)
      end
      mlcache.lru:delete(key)
    end
  end
end


local function load_anew()
  kong.worker_events.post_local("declarative", "reconfigure", { kong.default_workspace })
end


local function follow(plan)
  if plan.full then
    return load_anew()
  end

  drop(plan.keys)
  if plan.pools then
    pools.renew()
  end
  if plan.vaults then
    kong.vault.flush()
  end

  -- Nothing may be routed to an upstream that is not there yet or no more, nor past a
  -- plugin: so routes come after plugins and go before them.
  local present, gone = balancing.split(plan.upstreams)
  if loading and next(gone) then
    return -- Kong does not bear that while it creates balancers
  end

  balancing.add(present)
  for upstream in pairs(plan.targets) do
    if not plan.upstreams[upstream] then
      balancing.update(upstream)
    end
  end

  local routes, removed = routing.split(plan.routes)
  balancing.serve(routes)
  routing.remove(removed)
  if plan.plugins then
    assert(handler.build_plugins_iterator())
  end
  routing.add(routes)
  balancing.remove(present, gone)

  return true
end


local retrying
local look


local function retry()
  if retrying then
    return
  end

  retrying = ngx.timer.at(RETRY, function(premature)
    retrying = nil
    if not premature then
      look()
    end
  end)
end


local function try(plan)
  trial.begin(plan.hash)
  local ok, err = xpcall(follow, debug.traceback, plan)
  trial.done(loading and loading.hash)
  if not ok then
    kong.log.err("a change could not be taken over yet: ", err)
    retry()
  end

  return ok and err
end


local function locked(fn, ...)
  local arguments = { ... }
  local _, err = concurrency.with_coroutine_mutex(MUTEX, function()
    fn(unpack(arguments))
  end)
  if err then
    kong.log.err(err)
  end
end


-- Follows the journal to the present configuration, as far as it leads.
local function catch_up()
  local hash = get_current_hash()
  while at ~= hash do
    local plan = journal.plan(at)
    if not plan or not try(plan) then
      return
    end
    at = plan.hash
    record()
  end
end


-- A worker that was starting when this was committed may have built its router before
-- and read the hash after; so the plan is followed whatever the hash says.
local function take_over(base)
  local plan = journal.plan(base)
  if plan and try(plan) and at == base then
    at = plan.hash
    record()
  end
end


function look()
  locked(catch_up)

  local hash = get_current_hash()
  if loading or at == hash or ngx.worker.exiting() then
    behind = nil
    return
  end

  if behind ~= hash then
    behind, since = hash, ngx.now()

  elseif ngx.now() - since > PATIENCE then
    kong.log.warn("this worker lags behind, everything is loaded anew")
    behind = nil
    return load_anew()
  end

  retry()
end


local function on_delta(data)
  if ngx.worker.exiting() then
    return
  end

  if data.base then
    locked(take_over, data.base)

  else
    look()
  end
end


-- The new configuration is in use when the plugins iterator is another one: what Kong
-- does thereafter is to create balancers, and so does the first request to each. With
-- thousands of upstreams that takes seconds, which deltas are not to wait for.
local function during_load(premature, load)
  while not premature and loading == load and not ngx.worker.exiting() do
    if handler.get_plugins_iterator() ~= load.plugins then
      if not load.done then
        load.done = true
        at = load.hash
        record()
      end
      locked(catch_up)
    end
    ngx.sleep(LOOK)
  end
end


-- Comes before Kong's own handler of a full load, which is to drop all balancers but
-- gives up when it cannot list the upstreams, and does not know the removed ones.
local function before_load(data, event)
  if event ~= "reconfigure" or ngx.worker.exiting() then
    return
  end

  loading = { hash = get_current_hash(), plugins = handler.get_plugins_iterator() }
  trial.begin(loading.hash)
  if type(data) ~= "table" or data[4] == nil then
    balancing.clear()
  end

  ngx.timer.at(0, during_load, loading)
  kong.worker_events.post_local(SOURCE, "loaded", loading)
end


-- What Kong did not come to create, as when it could not list the upstreams.
local function complete(premature)
  while not premature and not loading and not ngx.worker.exiting() do
    local ok, err = pcall(balancing.complete)
    if ok then
      return
    end
    kong.log.err("balancers are created by requests, and not before: ", err)
    ngx.sleep(RETRY)
  end
end


-- Comes when Kong's handler is done, which says nowhere whether it succeeded.
local function after_load(load)
  if loading ~= load then
    return -- another full load came before this could be said
  end

  loading = nil
  trial.done()
  pools.renew()
  if load.plugins == handler.get_plugins_iterator() then
    failures = failures + 1
    kong.log.err("a full load was not taken over, attempt ", failures)
    if failures < ATTEMPTS then
      load_anew()
    end
    return
  end

  failures = 0
  if not load.done then
    at = load.hash
    record()
  end
  locked(catch_up)
  ngx.timer.at(0, complete)
end


function _M.init_worker()
  local events = kong.worker_events

  -- handlers of any event of a source are called before those of one event
  events.register(before_load, "declarative")
  events.register(after_load, SOURCE, "loaded")
  events.register(on_delta, SOURCE, "delta")

  few.init_worker()

  at = get_current_hash() or constants.DECLARATIVE_EMPTY_CONFIG_HASH
  record()
end


return _M
