-- Keeps from the requests of one namespace what is another's: consumers with their plugins,
-- and what plugins of several namespaces would have in common in Kong.
local kong = kong

local Tenants = {
  PRIORITY = 1000000,
  VERSION = "0.1.0",
}

local problems = {}

local function part(name)
  problems[#problems + 1] = require("kong.plugins.kube-sync-tenants." .. name).split()
end

part("queues")

if ngx.config.subsystem == "http" then
  local consumers = require "kong.plugins.kube-sync-tenants.consumers"
  local unlimited = consumers.problem()
  if unlimited then
    problems[#problems + 1] = unlimited
    -- Nobody is to be let in by a consumer that is not the route's.
    function Tenants.access(_, conf)
      if conf.isolated then
        return kong.response.error(503, unlimited)
      end
    end

  else
    consumers.limit()
    part("metrics")
  end

  part("limits")
  part("redis")
  part("buffers")
end

function Tenants.init_worker()
  if #problems > 0 and ngx.worker.id() == 0 then
    kong.log.err("tenants are not kept apart: ", table.concat(problems, "; "))
  end
end

return Tenants
