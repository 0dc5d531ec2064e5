-- The stream subsystem has balancers only for the upstreams of its own routes. Kong would create all
-- balancers of HTTP routes there once more, with as much memory and time as in the HTTP subsystem.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local balancers = internals.module("kong.runloop.balancer.balancers")
local upstreams = internals.module("kong.runloop.balancer.upstreams")


local _M = { apply = ngx.config.subsystem == "stream" }


-- Reports whether the upstream has a balancer, or a connection is creating it.
function _M.has(id)
  local creating = internals.get("kong.runloop.balancer.balancers", "create_balancer>creating")
  return balancers.get_balancer_by_id(id) or creating[id]
end


-- Creates the balancers of services.
function _M.create(services)
  for _, service in pairs(services) do
    local upstream, err = upstreams.get_upstream_by_name(service.host)
    assert(not err, err)
    if upstream then
      assert(balancers.create_balancer(upstream))
    end
  end
end


-- Replaces what Kong does when a worker starts and at each full load.
local function init()
  internals.module("kong.runloop.balancer.targets").init()
  upstreams.init()
  balancers.init()
  internals.module("kong.runloop.balancer.healthcheckers").init()

  -- now, so that connections do not wait for the list
  local _, err = upstreams.get_all_upstreams()
  if err then
    kong.log.crit("failed loading list of upstreams: ", err)
    return
  end

  local ok
  ok, err = pcall(_M.create, _M.services())
  if not ok then
    kong.log.crit("failed creating balancers: ", err)
  end

  upstreams.update_balancer_state()
end


-- Returns the services of the routes of this worker.
function _M.services()
  local router = internals.module("kong.runloop.handler")._get_updated_router()
  return router and router.services or {}
end


function _M.init_worker()
  if _M.apply then
    internals.replace("kong.runloop.balancer", "init", function() return init end)
  end
end


return _M
