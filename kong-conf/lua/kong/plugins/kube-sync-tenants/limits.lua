-- With the policy local, rate-limiting and response-ratelimiting count for all namespaces in one shared dictionary.
-- Its keys hold what clients send, such as a header of seven kilobytes, and many such requests evict the
-- counters of others. Plugins of several consumers also share the counters of a client. Here the counters
-- of each namespace have a share of the memory (counters.lua), and keys have a bounded size.
local counters = require "kong.plugins.kube-sync-tenants.counters"
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/limits")
local owner_of = require "kong.plugins.kube-sync-tenants.owners"

local concat = table.concat
local kong = kong
local ngx = ngx
local pairs = pairs

local _M = {}

-- kong-conf/kong.conf defines a larger dictionary than Kong's own.
local DICT = "kube_sync_counters"

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


-- Runs in a timer, after usage.
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


local MODULES = {
  ["rate-limiting"] = "kong.plugins.rate-limiting.policies",
  ["response-ratelimiting"] = "kong.plugins.response-ratelimiting.policies",
}

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


-- Returns what is wrong with this Kong, or nil.
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  local own = internals.get("ngx", "shared.kong_rate_limiting_counters")
  for name, module in pairs(MODULES) do
    if internals.get(module, "local.usage>shm") ~= own or internals.get(module, "local.increment>shm") ~= own then
      return name .. " counts in another shared dictionary"
    end
  end

  timestamps = internals.module("kong.tools.timestamp").get_timestamps
  store = counters.new(ngx.shared[DICT] or own)
  for name, module in pairs(MODULES) do
    internals.replace(module, "local.usage", function() return POLICIES[name].usage end)
    internals.replace(module, "local.increment", function() return POLICIES[name].increment end)
  end
end


return _M
