-- Makes a worker follow the configuration in LMDB, and records which one is in effect in it. A takeover
-- reads the current state of the entities that a plan names and ignores the order of events, so it can
-- be repeated.
local balancing = require "kong.plugins.kube-sync-delta.balancing"
local caches = require "kong.plugins.kube-sync-delta.caches"
local crash_recovery = require "kong.plugins.kube-sync-delta.crash_recovery"
local creation = require "kong.plugins.kube-sync-delta.creation"
local effective = require "kong.plugins.kube-sync-delta.effective"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local journal = require "kong.plugins.kube-sync-delta.journal"
local plugins = require "kong.plugins.kube-sync-delta.plugins"
local pools = require "kong.plugins.kube-sync-delta.pools"
local routing = require "kong.plugins.kube-sync-delta.routing"
local start = require "kong.plugins.kube-sync-delta.start"

local concurrency = internals.module("kong.concurrency")
local handler = internals.module("kong.runloop.handler")


local SOURCE = "kube-sync-delta"

local PATIENCE = 5 -- seconds that a worker lags behind before it loads the whole configuration again
local RETRY = 1 -- seconds before it tries again to take over a change
local ATTEMPTS = 3 -- of a full load
local LOOK = 0.02 -- seconds between two looks at the progress of a full load

local MUTEX = { name = SOURCE, timeout = 60 }


local _M = {}


-- The hash of the configuration that is in effect in this worker, or nil if it started during a commit.
local at
-- The hash that this worker lags behind, and since when.
local behind, since
local failures = 0
-- The full load that Kong is taking over.
local loading


-- Notifies the workers of this subsystem of a delta. Without a base they check whether they lag.
function _M.notify(base)
  local ok, err = kong.worker_events.post(SOURCE, "delta", { base = base })
  if not ok then
    kong.log.err("workers do not learn of a change: ", err)
  end
end


local function drop(keys)
  for store, dropped in pairs(keys) do
    for key in pairs(dropped) do
      caches.drop(store, key)
    end
  end
end


local function load_again()
  kong.worker_events.post_local("declarative", "reconfigure", { kong.default_workspace })
end


local function follow(plan)
  if plan.full then
    return load_again()
  end

  drop(plan.keys)
  if plan.pools then
    pools.renew()
  end
  if plan.vaults then
    kong.vault.flush()
  end

  -- No request may be routed to an upstream that does not exist, nor past a plugin. So routes are
  -- added after plugins and removed before them. The plugins are read before that, so that nothing
  -- waits in between and a path whose route is replaced always has a route.
  local present, gone = balancing.split(plan.upstreams)
  balancing.add(present)
  for upstream in pairs(plan.targets) do
    if not plan.upstreams[upstream] then
      balancing.update(upstream)
    end
  end

  local routes, removed = routing.split(plan.routes)
  balancing.serve(routes)
  local put_into_effect = plan.plugins and plugins.read()
  routing.remove(removed)
  if put_into_effect then
    put_into_effect()
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
  crash_recovery.begin(plan.hash)
  local ok, err = xpcall(follow, debug.traceback, plan)
  crash_recovery.done(loading and loading.hash)
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
  local hash = start.current()
  while at ~= hash do
    local plan = journal.plan(at)
    if not plan or not try(plan) then
      return
    end
    at = plan.hash
    effective.record(at)
  end
end


-- Follows the plan whatever the hash of this worker is: a worker that started during commits may have read
-- a part of their changes.
local function take_over(base)
  local plan = journal.plan(base)
  if plan and try(plan) and base == (at or start.hash) then
    at = plan.hash
    effective.record(at)
  end
end


function look()
  locked(catch_up)

  local hash = start.current()
  if loading or at == hash or ngx.worker.exiting() then
    behind = nil
    return
  end

  if behind ~= hash then
    behind, since = hash, ngx.now()

  elseif ngx.now() - since > PATIENCE then
    kong.log.warn("this worker lags behind, and loads the whole configuration again")
    behind = nil
    return load_again()
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


-- The new configuration is in effect once Kong has replaced the plugins iterator. Deltas do not wait for what
-- Kong does after that.
local function during_load(premature, load)
  while not premature and loading == load and not ngx.worker.exiting() do
    if handler.get_plugins_iterator() ~= load.plugins then
      if not load.done then
        load.done = true
        at = load.hash
        effective.record(at)
      end
      locked(catch_up)
    end
    ngx.sleep(LOOK)
  end
end


-- Runs before Kong's own handler of a full load.
local function before_load(_, event)
  if event ~= "reconfigure" or ngx.worker.exiting() then
    return
  end

  loading = { hash = start.current(), plugins = handler.get_plugins_iterator() }
  crash_recovery.begin(loading.hash)
  ngx.timer.at(0, during_load, loading)
  kong.worker_events.post_local(SOURCE, "loaded", loading)
end


-- Creates the balancers, and lets changes come in between.
local function create_balancers(premature)
  local missing, failure
  while not premature and not loading and not ngx.worker.exiting() do
    locked(function()
      missing = missing or creation.missing()
      failure = creation.some(missing) or failure
    end)

    if missing and missing[1] then
      ngx.sleep(0)

    elseif missing and not failure then
      return

    else
      kong.log.err("some balancers are not created before requests need them: ", failure)
      missing, failure = nil, nil
      ngx.sleep(RETRY)
    end
  end
end


-- Runs when Kong's own handler is done, which does not report whether it succeeded.
local function after_load(load)
  if loading ~= load then
    return -- another full load has begun
  end

  loading = nil
  crash_recovery.done()
  pools.renew()
  if load.plugins == handler.get_plugins_iterator() then
    failures = failures + 1
    kong.log.err("a full load was not taken over, attempt ", failures)
    if failures < ATTEMPTS then
      load_again()
    end
    return
  end

  failures = 0
  if not load.done then
    at = load.hash
    effective.record(at)
  end
  locked(catch_up)
  ngx.timer.at(0, create_balancers)
end


-- Follows the commits that were made while the worker started. Their events may not reach it: after a reload
-- the former workers have a broker of their own. For a full load there is no plan.
local function follow_start(premature)
  if premature or loading or at then
    return
  end

  if not journal.plan(start.hash) then
    return load_again()
  end

  locked(take_over, start.hash)
  look()
end


function _M.init_worker()
  local events = kong.worker_events

  -- the library calls the handlers for all events of a source before those for one event
  events.register(before_load, "declarative")
  events.register(after_load, SOURCE, "loaded")
  events.register(on_delta, SOURCE, "delta")

  creation.init_worker(function()
    if not loading then
      ngx.timer.at(0, create_balancers)
    end
  end, balancing.clear)

  if start.hash == start.current() and not journal.plan(start.hash) then
    at = start.hash
    effective.record(at)

  else
    ngx.timer.at(0, follow_start)
  end
end


return _M
