-- Each prometheus plugin switches the metrics of upstreams on or off for the whole gateway, with each of its
-- requests. Here the plugin for all requests decides; without one, the metrics are on if any plugin wants them.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/metrics")
local iterators = require "kong.plugins.kube-sync-tenants.iterators"

local pairs = pairs

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
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  internals.replace("kong.plugins.prometheus.exporter", "set_export_upstream_health_metrics", function(set)
    iterators.watch(function(iterator)
      set(wanted(iterators.configurations(iterator, "prometheus")))
    end)

    return function() end
  end)
end


return _M
