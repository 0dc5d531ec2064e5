-- Separates namespaces: consumers with their plugins, and the state that plugins of several namespaces share
-- in Kong.
local kong = kong

local Tenants = {
  PRIORITY = 1000000,
  VERSION = "1.0.0",
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
    -- No request may pass with a consumer that is not for its route.
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
    kong.log.err("tenants are not separated: ", table.concat(problems, "; "))
  end
end


return Tenants
