-- Creates the balancers of a worker after its start and after each full load. Kong creates all of them at
-- once. For thousands that takes seconds, in which the worker takes over no change and delays requests, and
-- Kong fails when an upstream is deleted meanwhile. Here the worker serves requests and applies changes in
-- between. A request that needs a balancer earlier creates it, as in Kong.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local stream_upstreams = require "kong.plugins.kube-sync-delta.stream_upstreams"

local balancers = internals.module("kong.runloop.balancer.balancers")
local declarative = internals.module("kong.db.declarative")
local lmdb = internals.module("resty.lmdb")
local prefix = internals.module("resty.lmdb.prefix")
local unmarshall = internals.module("kong.db.declarative.marshaller").unmarshall
local upstreams = internals.module("kong.runloop.balancer.upstreams")


local SLICE = 0.002 -- seconds for which a worker creates balancers without a break


-- Upstreams whose balancer was being created by a request when all balancers were removed. The new balancer
-- may be from the previous configuration.
local doubtful = {}


local _M = {}


local function creating()
  return internals.get("kong.runloop.balancer.balancers", "create_balancer>creating")
end


-- Returns the ids of all upstreams by workspace and name. Kong validates whole upstreams to get
-- them: for ten thousand that takes half a second, under a lock that requests wait for.
local function read_names()
  local start = declarative.item_key_prefix("upstreams", "*")
  local names, from = {}, start
  repeat
    local page, more = assert(prefix.page(from, start, nil, 1000))
    for _, entry in ipairs(page) do
      local stored = lmdb.get(entry.value)
      local upstream = stored and unmarshall(stored)
      if upstream then
        names[upstream.ws_id .. ":" .. upstream.name] = upstream.id
      end
      from = entry.key .. "\x00"
    end
  until not more or #page == 0

  return names
end


-- Does what Kong does when a worker starts and at each full load, except for the balancers.
local function init()
  internals.module("kong.runloop.balancer.targets").init()
  upstreams.init()
  balancers.init()
  internals.module("kong.runloop.balancer.healthcheckers").init()

  -- now, so that connections do not wait for the list
  local _, err = upstreams.get_all_upstreams()
  if err then
    kong.log.crit("failed loading list of upstreams: ", err)
    return
  end

  upstreams.update_balancer_state()
end


-- Returns the ids of the upstreams that have no balancer, or a doubtful one. Raises an error if they cannot be
-- listed.
function _M.missing()
  local ids = {}
  local all = stream_upstreams.apply and stream_upstreams.upstreams() or assert(upstreams.get_all_upstreams())
  for _, id in pairs(all) do
    if doubtful[id] or not stream_upstreams.has(id) then
      ids[#ids + 1] = id
    end
  end

  return ids
end


-- Creates the balancer of an upstream. With recreate it replaces an existing one. Raises an error if the
-- balancer cannot be created; Kong would then let requests that need it wait for half a minute.
function _M.create(upstream, recreate)
  local ok, balancer, err = pcall(balancers.create_balancer, upstream, recreate)
  if not ok then
    creating()[upstream.id] = nil
    error(balancer, 0)
  end

  return assert(balancer, err)
end


local function create_missing(id)
  local upstream, err = upstreams.get_upstream_by_id(id)
  assert(not err, err)
  if doubtful[id] then
    assert(not creating()[id], "a request is still creating it")
    doubtful[id] = nil
    return upstream and _M.create(upstream, true)
  end

  if upstream and not stream_upstreams.has(id) then
    _M.create(upstream)
  end
end


-- Creates some of the balancers, and removes their ids from the list. Returns why one of them cannot be
-- created, or nil.
function _M.some(ids)
  ngx.update_time()
  local deadline, failure = ngx.now() + SLICE, nil
  while ids[1] and ngx.now() < deadline do
    local ok, err = pcall(create_missing, table.remove(ids))
    failure = not ok and err or failure
    ngx.update_time()
  end

  return failure
end


-- Calls start when all balancers must be created, and clear when a full load begins. clear removes all
-- balancers: Kong removes none if it cannot list the upstreams, and keeps those of removed upstreams.
function _M.init_worker(start, clear)
  internals.replace("kong.runloop.balancer.upstreams", "get_all_upstreams", function()
    return function()
      return kong.core_cache:get("balancer:upstreams", nil, read_names)
    end
  end)
  internals.replace("kong.runloop.balancer", "stop_healthcheckers", function()
    return function()
      for id in pairs(creating()) do
        doubtful[id] = true
      end
      clear()
    end
  end)
  internals.replace("kong.runloop.balancer", "init", function()
    return function()
      init()
      start()
    end
  end)
end


return _M
