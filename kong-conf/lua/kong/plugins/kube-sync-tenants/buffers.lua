-- With the policy redis and a sync_rate, rate-limiting counts in tables of the worker until it synchronizes
-- with Redis: for any number of identifiers, of any length, and for as long as Redis is unavailable. Here
-- these tables have a bound, of which one namespace gets at most half. Beyond it, Kong counts in Redis
-- with each request, as without a sync_rate. Digests replace long identifiers.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/buffers")
local namespace_of = require "kong.plugins.kube-sync-tenants.owners"
local quota = require "kong.kube_sync.quota"

local ngx = ngx
local pairs = pairs
local setmetatable = setmetatable

local POLICIES = "kong.plugins.rate-limiting.policies"

local _M = {}

local REALTIME = -1
local MOST = 20000 -- counters in tables of this worker
local LONG = 64 -- bytes

-- The quota for all tables, and how much of it the tables of each Redis account take, by namespace.
local room, taken = quota.new(MOST), {}


local function take(account, namespace)
  if not room:take(namespace, 1) then
    return false
  end

  local own = taken[account] or {}
  own[namespace] = (own[namespace] or 0) + 1
  taken[account] = own
  return true
end


local function give(account, namespace, n)
  room:give(namespace, n)
  taken[account][namespace] = taken[account][namespace] - n
end


local function give_all(account)
  for namespace, n in pairs(taken[account] or {}) do
    room:give(namespace, n)
  end
  taken[account] = nil
end


local realtime = setmetatable({}, { __mode = "k" })


local function without_tables(conf)
  local without = realtime[conf]
  if not without then
    without = setmetatable({ sync_rate = REALTIME }, { __index = conf })
    realtime[conf] = without
  end
  return without
end


local function short(identifier)
  return #identifier > LONG and ngx.encode_base64(ngx.sha1_bin(identifier)) or identifier
end


-- Returns a function that replaces the policy's usage.
local function bounded_usage(kongs, usage)
  return function(conf, identifier, period, now)
    identifier = short(identifier)
    if conf.sync_rate == REALTIME then
      return usage(conf, identifier, period, now)
    end

    local account = kongs.get_db_key(conf)
    local key = kongs.get_local_key(conf, identifier, period, kongs.get_timestamps(now)[period])
    if kongs.holds(account, key) then
      return usage(conf, identifier, period, now)
    end

    local namespace = namespace_of(conf)
    if not take(account, namespace) then
      return usage(without_tables(conf), identifier, period, now)
    end

    local value, err = usage(conf, identifier, period, now)
    if not kongs.holds(account, key) and taken[account] and (taken[account][namespace] or 0) > 0 then
      give(account, namespace, 1)
    end
    return value, err
  end
end


-- Returns a function that replaces the policy's increment. Usage has counted what is not in tables.
local function bounded_increment(kongs)
  return function(conf, limits, identifier, now, value)
    if conf.sync_rate == REALTIME then
      return true
    end

    identifier = short(identifier)
    local account = kongs.get_db_key(conf)
    for period, date in pairs(kongs.get_timestamps(now)) do
      local key = limits[period] and kongs.get_local_key(conf, identifier, period, date)
      if key and kongs.holds(account, key) then
        local deltas = kongs.cur_delta[account]
        deltas[key] = (deltas[key] or 0) + value
      end
    end

    return kongs.rate_limited_sync(conf, kongs.sync_to_redis)
  end
end


-- Returns what is wrong with this Kong, or nil. It runs after redis.lua, which replaces get_db_key.
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  local cur_usage = internals.get(POLICIES, "redis.usage>cur_usage")
  local kongs = {
    cur_delta = internals.get(POLICIES, "redis.increment>update_local_counters>cur_delta"),
    get_db_key = internals.get(POLICIES, "redis.usage>get_db_key"),
    get_local_key = internals.get(POLICIES, "redis.usage>get_local_key"),
    get_timestamps = internals.module("kong.tools.timestamp").get_timestamps,
    rate_limited_sync = internals.get(POLICIES, "redis.increment>rate_limited_sync"),
    sync_to_redis = internals.get(POLICIES, "redis.increment>sync_to_redis"),
    holds = function(account, key)
      local held = cur_usage[account]
      return held and held[key] ~= nil
    end,
  }

  internals.replace(POLICIES, "redis.increment>sync_to_redis>clear_local_counter", function(clear)
    return function(account)
      clear(account)
      give_all(account)
    end
  end)

  internals.replace(POLICIES, "redis.usage", function(usage) return bounded_usage(kongs, usage) end)
  internals.replace(POLICIES, "redis.increment", function() return bounded_increment(kongs) end)
end


return _M
