-- rate-limiting and response-ratelimiting with the policy local count for all namespaces in one
-- shared dictionary, by keys that hold what a client sends, such as a header of seven kilobytes:
-- who sends many evicts the counters of others. Consumers' plugins also count the same client
-- together with those of other consumers. Here the counters of each namespace have a share of
-- the memory (counters.lua), and keys of bounded size.
--
-- Of Kong it takes the functions usage and increment of the policy local, which both plugins
-- look up in the tables of their modules, and replaces them.
local counters = require "kong.plugins.kube-sync-tenants.counters"
local owner_of = require "kong.plugins.kube-sync-tenants.owners"
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"

local concat = table.concat
local debug = debug
local kong = kong
local ngx = ngx
local pairs = pairs
local pcall = pcall
local require = require
local type = type

local _M = {}

-- With kong-conf/kong.conf there is a larger dictionary than Kong's.
local DICT = "kube_sync_counters"
local KONGS = "kong_rate_limiting_counters"

local store
local timestamps


local function name_of(kind, conf, limit, identifier)
  return concat({ kind, conf.route_id or "", conf.service_id or "", limit, identifier }, "\0")
end


local function usage(kind, conf, limit, identifier, period, now)
  local value, err = store:get(owner_of(conf), period, timestamps(now)[period], name_of(kind, conf, limit, identifier))
  if err then
    return nil, err
  end

  return value or 0
end


-- In a timer, after usage.
local function increment(kind, conf, limit, limits, identifier, now, value)
  local name = name_of(kind, conf, limit, identifier)
  for period, date in pairs(timestamps(now)) do
    if limits[period] then
      local sum, err = store:add(owner_of(conf), period, date, name, value)
      if not sum then
        kong.log.err("could not increment counter for period '", period, "': ", err)
        return nil, err
      end
    end
  end

  return true
end


local POLICIES = {
  ["rate-limiting"] = {
    usage = function(conf, identifier, period, now)
      return usage("rate-limiting", conf, "", identifier, period, now)
    end,
    increment = function(conf, limits, identifier, now, value)
      return increment("rate-limiting", conf, "", limits, identifier, now, value)
    end,
  },
  ["response-ratelimiting"] = {
    usage = function(conf, identifier, limit, period, now)
      return usage("response-ratelimiting", conf, limit, identifier, period, now)
    end,
    increment = function(conf, identifier, limit, now, value)
      return increment("response-ratelimiting", conf, limit, conf.limits[limit] or {}, identifier, now, value)
    end,
  },
}


local function alike(theirs, ours)
  return type(theirs) == "function" and upvalue(theirs, "shm") == ngx.shared[KONGS]
         and debug.getinfo(theirs, "u").nparams == debug.getinfo(ours, "u").nparams
end


-- Returns what is wrong with this Kong, or nil.
function _M.split()
  local found, timestamp = pcall(require, "kong.tools.timestamp")
  timestamps = found and timestamp.get_timestamps
  local dict = ngx.shared[DICT] or ngx.shared[KONGS]
  if type(timestamps) ~= "function" or not dict then
    return "Kong has no counters, or counts by other periods"
  end

  local all = {}
  for name, ours in pairs(POLICIES) do
    local ok, policies = pcall(require, "kong.plugins." .. name .. ".policies")
    local theirs = ok and type(policies) == "table" and policies["local"]
    if not (theirs and alike(theirs.usage, ours.usage) and alike(theirs.increment, ours.increment)) then
      return name .. " counts in another way"
    end
    all[name] = theirs
  end

  store = counters.new(dict)
  for name, theirs in pairs(all) do
    theirs.usage, theirs.increment = POLICIES[name].usage, POLICIES[name].increment
  end
end


return _M
