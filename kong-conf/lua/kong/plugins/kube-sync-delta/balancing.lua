-- Changes the balancers of this worker where upstreams or targets changed.
local caches = require "kong.plugins.kube-sync-delta.caches"
local callbacks = require "kong.plugins.kube-sync-delta.callbacks"
local clone = require "table.clone"
local creation = require "kong.plugins.kube-sync-delta.creation"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local stream_upstreams = require "kong.plugins.kube-sync-delta.stream_upstreams"

local balancers = internals.module("kong.runloop.balancer.balancers")
local constants = internals.module("kong.constants")
local healthcheckers = internals.module("kong.runloop.balancer.healthcheckers")
local targets = internals.module("kong.runloop.balancer.targets")
local upstreams = internals.module("kong.runloop.balancer.upstreams")


local GLOBAL = { workspace = ngx.null, show_ws_id = true }
local NAMES = "balancer:upstreams"
local CLEAR_DELAY = constants.CLEAR_HEALTH_STATUS_DELAY


local _M = {}


-- Kong would resolve the name of a removed target again whenever it expires. This looks the heap of
-- names up each time, because Kong replaces it at each full load.
local function forget(upstream, target)
  local renewals = internals.get("kong.runloop.balancer.targets", "on_target_event>renewal_heap")
  renewals:remove(upstream .. ":" .. target.target)
end


local function forget_callbacks(balancer)
  if balancer and balancer.healthchecker then
    callbacks.forget(balancer.healthchecker.EVENT_SOURCE)
  end
end


local function stop(id, delay)
  local balancer = balancers.get_balancer_by_id(id)
  if balancer then
    healthcheckers.stop_healthchecker(balancer, delay)
    balancers.set_balancer(id, nil)
    forget_callbacks(balancer)
  end

  targets.clean_targets_cache({ id = id })
  return balancer
end


-- Changes the cached names of all upstreams. Kong would take half a second to read ten thousand names
-- again, under a lock that requests wait for.
local function cache_names(names)
  local cache = kong.core_cache
  cache.mlcache.lru:set(NAMES, names)
  if not cache:safe_set(NAMES, names) then
    cache.mlcache.dict:delete(cache.mlcache.name .. NAMES)
  end
end


local function forget_upstream(id)
  caches.drop("core_cache", NAMES .. ":" .. id)
end


-- Splits ids into those of upstreams that exist and those of upstreams that are gone.
function _M.split(ids)
  local present, gone = {}, {}
  for id in pairs(ids) do
    local upstream, err = kong.db.upstreams:select({ id = id }, GLOBAL)
    assert(not err, err)
    if upstream then
      forget_upstream(id)
      present[id] = upstream

    else
      gone[id] = true
    end
  end

  return present, gone
end


function _M.add(present)
  if next(present) == nil then
    return
  end

  local names, copy = assert(upstreams.get_all_upstreams()), nil
  local known = {}
  for _, id in pairs(names) do
    known[id] = present[id] ~= nil
  end
  for id, upstream in pairs(present) do
    local name = upstream.ws_id .. ":" .. upstream.name
    if names[name] ~= id then
      -- a copy, because Kong may be iterating over the table
      copy = copy or clone(names)
      copy[name] = id
    end
  end
  if copy then
    cache_names(copy)
  end

  -- makes Kong forget the upstreams that it found by name
  upstreams.init()

  for id, upstream in pairs(present) do
    if not stream_upstreams.apply or stream_upstreams.has(id) then
      -- a request may be creating the previous balancer: wait until it has finished
      if known[id] and not balancers.get_balancer_by_id(id) then
        creation.create(upstream)
      end
      local former = balancers.get_balancer_by_id(id)
      creation.create(upstream, known[id])
      forget_callbacks(former)

    else
      targets.clean_targets_cache(upstream)
    end
  end
end


-- Creates the balancers of services before routes lead to them.
function _M.serve(routes)
  if stream_upstreams.apply then
    local services = {}
    for id, held in pairs(routes) do
      services[id] = held.service
    end
    stream_upstreams.create(services)
  end
end


-- Removes the upstreams that are gone, once no route leads to them, and the former names of the others.
function _M.remove(present, gone)
  if next(present) == nil and next(gone) == nil then
    return
  end

  local names, copy = assert(upstreams.get_all_upstreams()), nil
  for name, id in pairs(names) do
    local upstream = present[id]
    if gone[id] or upstream and name ~= upstream.ws_id .. ":" .. upstream.name then
      copy = copy or clone(names)
      copy[name] = nil
    end
  end
  if copy then
    cache_names(copy)
    upstreams.init()
  end

  for id in pairs(gone) do
    forget_upstream(id)
    local balancer = stop(id)
    for _, target in ipairs(balancer and balancer.targets or {}) do
      forget(id, target)
    end
  end
end


local function by_name(list)
  local found, plain = {}, true
  for _, target in ipairs(list) do
    plain = plain and target.nameType ~= "name" and not found[target.target]
    found[target.target] = target
  end

  return found, plain
end


-- Replaces the targets of a balancer with those of a list. Targets that stay keep their connection
-- counts, latencies and health. Kong does the same when the addresses of a name change. Nothing
-- in it yields.
local function change_targets(balancer, id, list, former)
  local algorithm = balancer.algorithm
  local fresh, stays = {}, {}

  -- without an algorithm, nothing is recomputed for the intermediate states
  balancer.algorithm = nil
  for i, target in ipairs(list) do
    local known = former[target.target]
    if known then
      stays[known] = true
      list[i] = known
      if known.weight ~= target.weight then
        local address = known.addresses[1]
        balancer:changeWeight(known, { address = address.ip, port = address.port }, target.weight)
        known.weight = target.weight
      end
      known.id, known.tags, known.updated_at = target.id, target.tags, target.updated_at

    else
      target.balancer = balancer
      fresh[#fresh + 1] = target
    end
  end

  -- new targets come first, so that the balancer is never empty
  targets.resolve_targets(fresh)
  for _, target in ipairs(fresh) do
    forget(id, target)
  end

  for _, target in pairs(former) do
    if not stays[target] then
      for _, address in ipairs(target.addresses) do
        -- now, so that requests in flight do not report to the algorithm
        balancer:setAddressStatus(address, false)
        balancer:disableAddress(target, { address = address.ip, port = address.port })
      end
      balancer:deleteDisabledAddresses(target)
      forget(id, target)
    end
  end

  balancer.targets = list
  balancer.algorithm = algorithm
  balancer:afterHostUpdate()
end


local function weights_alike(list, former)
  for _, target in ipairs(list) do
    local known = former[target.target]
    if known and (known.weight == 0) ~= (target.weight == 0) then
      return false
    end
  end

  return true
end


-- Takes over the changed targets of an upstream.
function _M.update(id)
  local upstream = upstreams.get_upstream_by_id(id)
  if not upstream then
    return
  end

  if stream_upstreams.apply and not stream_upstreams.has(id) then
    return targets.clean_targets_cache(upstream)
  end

  local balancer = balancers.get_balancer_by_id(id) or creation.create(upstream)
  targets.clean_targets_cache(upstream)
  local list = assert(targets.fetch_targets(upstream))

  local former, plain = by_name(balancer.targets)
  local _, still_plain = by_name(list)
  if plain and still_plain and upstream.algorithm ~= "latency" and weights_alike(list, former) then
    return change_targets(balancer, id, list, former)
  end

  for _, target in pairs(former) do
    forget(id, target)
  end
  assert(targets.on_target_event("create", { upstream = upstream }))
end


-- Removes all balancers. The complete list of them is an upvalue of Kong; without it, the balancers of
-- removed upstreams would stay.
function _M.clear()
  local ids = {}
  for id in pairs(internals.get("kong.runloop.balancer.balancers", "get_balancer_by_id>balancers_by_id")) do
    ids[#ids + 1] = id
  end

  upstreams.init()
  for _, id in ipairs(ids) do
    stop(id, CLEAR_DELAY)
  end
end


return _M
