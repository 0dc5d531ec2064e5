-- Changes the balancers of this worker where upstreams or targets changed.
local balancers = require "kong.runloop.balancer.balancers"
local clone = require "table.clone"
local constants = require "kong.constants"
local few = require "kong.plugins.kube-sync-delta.few"
local healthcheckers = require "kong.runloop.balancer.healthcheckers"
local internals = require "kong.plugins.kube-sync-delta.internals"
local targets = require "kong.runloop.balancer.targets"
local upstreams = require "kong.runloop.balancer.upstreams"


local GLOBAL = { workspace = ngx.null, show_ws_id = true }
local NAMES = "balancer:upstreams"
local CLEAR_DELAY = constants.CLEAR_HEALTH_STATUS_DELAY


local _M = {}


-- Kong would look at the names in a target again when they expire, for ever.
local function forget(upstream, target)
  internals.renewals():remove(upstream .. ":" .. target.target)
end


local function forget_callbacks(balancer)
  if balancer and balancer.healthchecker then
    internals.forget_callbacks(balancer.healthchecker.EVENT_SOURCE)
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


-- The cached names of all upstreams are changed instead of read anew: that takes half a
-- second for ten thousand, under a lock that requests wait for.
local function cache_names(names)
  local cache = kong.core_cache
  cache.mlcache.lru:set(NAMES, names)
  if not cache:safe_set(NAMES, names) then
    cache.mlcache.dict:delete(cache.mlcache.name .. NAMES)
  end
end


-- Splits ids in upstreams that there are and others.
function _M.split(ids)
  local present, gone = {}, {}
  local mlcache = kong.core_cache.mlcache
  for id in pairs(ids) do
    mlcache.dict:delete(mlcache.name .. NAMES .. ":" .. id)
    mlcache.lru:delete(NAMES .. ":" .. id)

    local upstream, err = kong.db.upstreams:select({ id = id }, GLOBAL)
    assert(not err, err)
    if upstream then
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
      -- a copy, because Kong may be walking through the one there is
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
    if not few.apply or few.has(id) then
      -- a request may be just creating it, as it was before: let it end
      if known[id] and not balancers.get_balancer_by_id(id) then
        assert(balancers.create_balancer(upstream))
      end
      local former = balancers.get_balancer_by_id(id)
      assert(balancers.create_balancer(upstream, known[id]))
      forget_callbacks(former)

    else
      targets.clean_targets_cache(upstream)
    end
  end
end


-- Before routes lead to services.
function _M.serve(routes)
  if few.apply then
    local services = {}
    for id, held in pairs(routes) do
      services[id] = held.service
    end
    few.create(services)
  end
end


-- Takes out the upstreams that are gone, and the names that the others had before.
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


-- Makes the targets those of the list, in the balancer there is: connection counts,
-- latencies and health of the ones that stay are kept. This is what Kong does when the
-- addresses of a name change. Nothing in it yields.
local function change_targets(balancer, id, list, former)
  local algorithm = balancer.algorithm
  local fresh, stays = {}, {}

  -- without an algorithm nothing is computed for the states in between
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

  -- the new come before the old go, lest the balancer be without any
  targets.resolve_targets(fresh)
  for _, target in ipairs(fresh) do
    forget(id, target)
  end

  for _, target in pairs(former) do
    if not stays[target] then
      for _, address in ipairs(target.addresses) do
        -- so that a request on its way there does not report back to the algorithm
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


-- The targets of an upstream changed.
function _M.update(id)
  local upstream = upstreams.get_upstream_by_id(id)
  if not upstream then
    return
  end

  if few.apply and not few.has(id) then
    return targets.clean_targets_cache(upstream)
  end

  local balancer = assert(balancers.get_balancer_by_id(id) or balancers.create_balancer(upstream))
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


-- Before a full load: none of the balancers is to outlive it.
function _M.clear()
  local ids = {}
  for id in pairs(internals.balancers()) do
    ids[#ids + 1] = id
  end

  upstreams.init()
  for _, id in ipairs(ids) do
    stop(id, CLEAR_DELAY)
  end
end


-- After a full load: what Kong did not come to create.
function _M.complete()
  if few.apply then
    return few.create(few.services())
  end

  for _, id in pairs(assert(upstreams.get_all_upstreams())) do
    local upstream = upstreams.get_upstream_by_id(id)
    if upstream and not balancers.get_balancer_by_id(id) then
      assert(balancers.create_balancer(upstream))
    end
  end
end


return _M
