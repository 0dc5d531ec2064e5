-- Restricts the balancers of the stream subsystem to the upstreams of its own routes. Kong would create all
-- balancers of HTTP routes there too, with as much memory and time as in the HTTP subsystem.
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


-- Returns the services of the routes of this worker.
function _M.services()
  local router = internals.module("kong.runloop.handler")._get_updated_router()
  return router and router.services or {}
end


-- Returns the ids of the upstreams of these services.
function _M.upstreams()
  local ids = {}
  for _, service in pairs(_M.services()) do
    local upstream, err = upstreams.get_upstream_by_name(service.host)
    assert(not err, err)
    if upstream then
      ids[upstream.id] = upstream.id
    end
  end

  return ids
end


return _M
