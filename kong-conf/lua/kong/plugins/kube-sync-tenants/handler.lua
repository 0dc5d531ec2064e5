-- Separates namespaces: consumers with their plugins, and the state that plugins of several namespaces share
-- in Kong.
local kong = kong

local Tenants = {
  PRIORITY = 1000000,
  VERSION = "1.0.0",
}

local problems = {}


local function install(name)
  problems[#problems + 1] = require("kong.plugins.kube-sync-tenants." .. name).install()
end


install("queues")

if ngx.config.subsystem == "http" then
  local consumers = require "kong.plugins.kube-sync-tenants.consumers"
  local problem = consumers.problem()
  if problem then
    problems[#problems + 1] = problem
    -- No request may pass with a consumer that is not for its route.
    function Tenants.access(_, conf)
      if conf.isolated then
        return kong.response.error(503, problem)
      end
    end

  else
    consumers.install()
    install("metrics")
  end

  install("limits")
  install("redis")
  install("buffers")
end


function Tenants.init_worker()
  if #problems > 0 and ngx.worker.id() == 0 then
    kong.log.err("tenants are not separated: ", table.concat(problems, "; "))
  end
end


return Tenants
