-- With the policy redis and a sync_rate, rate-limiting counts in tables of the worker until it has
-- told Redis: for as many identifiers as clients send, of any length, for as long as the plugin says
-- or its Redis does not answer. Here these tables have a bound, of which one namespace has half at
-- most. Beyond it Kong counts in Redis with each request, as it does without a sync_rate. Long
-- identifiers are replaced by their digests.
--
-- Of Kong it takes the functions usage and increment of the policy redis, which it replaces, and
-- their upvalues that are named below.
local namespace_of = require "kong.plugins.kube-sync-tenants.owners"
local quota = require "kong.plugins.kube-sync-request.quota"
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"

local debug = debug
local ngx = ngx
local pairs = pairs
local pcall = pcall
local require = require
local setmetatable = setmetatable
local type = type

local _M = {}

local REALTIME = -1
local MOST = 20000 -- counters in tables of this worker
local LONG = 64 -- bytes

-- What is taken for the tables of a Redis, by namespace.
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


-- Returns what is wrong with this Kong, or nil. It comes after redis.lua, which replaces get_db_key.
function _M.split()
  local found, timestamp = pcall(require, "kong.tools.timestamp")
  local ok, policies = pcall(require, "kong.plugins.rate-limiting.policies")
  local policy = ok and policies.redis
  if not (found and policy and type(policy.usage) == "function" and type(policy.increment) == "function") then
    return "rate-limiting synchronizes with Redis in another way"
  end

  local usage, increment = policy.usage, policy.increment
  local of = {}
  for _, name in pairs({ "cur_usage", "get_local_key", "get_db_key" }) do
    of[name] = upvalue(usage, name)
  end
  of.sync, of.later = upvalue(increment, "sync_to_redis"), upvalue(increment, "rate_limited_sync")
  local update = upvalue(increment, "update_local_counters")
  of.delta = update and upvalue(update, "cur_delta")
  local clear, at
  if of.sync then
    clear, at = upvalue(of.sync, "clear_local_counter")
  end
  if not (of.cur_usage and of.get_local_key and of.get_db_key and of.later and of.delta and clear) then
    return "rate-limiting synchronizes with Redis in another way"
  end

  debug.setupvalue(of.sync, at, function(account)
    clear(account)
    give_all(account)
  end)

  local function holds(account, key)
    local held = of.cur_usage[account]
    return held and held[key] ~= nil
  end

  function policy.usage(conf, identifier, period, now)
    identifier = short(identifier)
    if conf.sync_rate == REALTIME then
      return usage(conf, identifier, period, now)
    end

    local account = of.get_db_key(conf)
    local key = of.get_local_key(conf, identifier, period, timestamp.get_timestamps(now)[period])
    if holds(account, key) then
      return usage(conf, identifier, period, now)
    end

    local namespace = namespace_of(conf)
    if not take(account, namespace) then
      return usage(without_tables(conf), identifier, period, now)
    end

    local value, err = usage(conf, identifier, period, now)
    if not holds(account, key) and taken[account] and (taken[account][namespace] or 0) > 0 then
      give(account, namespace, 1)
    end
    return value, err
  end

  -- What is not in tables has been counted by usage.
  function policy.increment(conf, limits, identifier, now, value)
    if conf.sync_rate == REALTIME then
      return true
    end

    identifier = short(identifier)
    local account = of.get_db_key(conf)
    for period, date in pairs(timestamp.get_timestamps(now)) do
      local key = limits[period] and of.get_local_key(conf, identifier, period, date)
      if key and holds(account, key) then
        local deltas = of.delta[account]
        deltas[key] = (deltas[key] or 0) + value
      end
    end

    return of.later(conf, of.sync)
  end
end


return _M
