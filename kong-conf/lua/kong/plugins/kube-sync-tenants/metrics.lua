-- Each plugin prometheus switches the metrics of upstreams on or off for the whole gateway
-- with each of its requests. Here the plugin for all requests says whether they are there; if
-- there is none they are as soon as any plugin asks for them.
local iterators = require "kong.plugins.kube-sync-tenants.iterators"

local pairs = pairs
local pcall = pcall
local type = type

local _M = {}


local function wanted(configurations)
  local all = configurations and configurations[iterators.GLOBAL]
  if all then
    return all.upstream_health_metrics == true
  end

  for _, conf in pairs(configurations or {}) do
    if conf.upstream_health_metrics then
      return true
    end
  end

  return false
end


-- Returns what is wrong with this Kong, or nil.
function _M.split()
  local ok, exporter = pcall(require, "kong.plugins.prometheus.exporter")
  local set = ok and exporter.set_export_upstream_health_metrics
  if type(set) ~= "function" then
    return "Kong's metrics are not where they were"
  end

  function exporter.set_export_upstream_health_metrics() end

  iterators.watch(function(iterator)
    set(wanted(iterators.configurations(iterator, "prometheus")))
  end)
end


return _M
