-- Keeps from the requests of one namespace what is another's: consumers with their plugins,
-- and what plugins of several namespaces would have in common in Kong.
local kong = kong

local Tenants = {
  PRIORITY = 1000000,
  VERSION = "0.1.0",
}

local problem = require("kong.plugins.kube-sync-tenants.queues").split()

if ngx.config.subsystem == "http" then
  local consumers = require "kong.plugins.kube-sync-tenants.consumers"
  local unlimited = consumers.problem()
  if unlimited then
    -- Nobody is to be let in by a consumer that is not the route's.
    function Tenants.access(_, conf)
      if conf.isolated then
        return kong.response.error(503, unlimited)
      end
    end

  else
    consumers.limit()
  end

  problem = require("kong.plugins.kube-sync-tenants.redis").split() or unlimited or problem
end

function Tenants.init_worker()
  if problem and ngx.worker.id() == 0 then
    kong.log.err("tenants are not kept apart: ", problem)
  end
end

return Tenants
