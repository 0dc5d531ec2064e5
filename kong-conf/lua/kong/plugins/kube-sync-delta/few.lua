-- In the stream subsystem there are balancers for the upstreams of its own routes, and for
-- no others. Kong would create in it those for all requests once more, which takes as much
-- memory and as long as in the subsystem where they are used.
local balancers = require "kong.runloop.balancer.balancers"
local internals = require "kong.plugins.kube-sync-delta.internals"
local upstreams = require "kong.runloop.balancer.upstreams"


local _M = { apply = ngx.config.subsystem == "stream" }


-- Whether there is a balancer, or a connection is just creating one.
function _M.has(id)
  return balancers.get_balancer_by_id(id) or internals.creating()[id]
end


-- Creates the balancers that there are to be for services.
function _M.create(services)
  for _, service in pairs(services) do
    local upstream, err = upstreams.get_upstream_by_name(service.host)
    assert(not err, err)
    if upstream then
      assert(balancers.create_balancer(upstream))
    end
  end
end


-- Comes in the place of what Kong does when a worker starts and at each full load.
local function init()
  for _, name in ipairs({ "targets", "upstreams", "balancers", "healthcheckers" }) do
    require("kong.runloop.balancer." .. name).init()
  end

  -- listed now, lest a connection wait for it
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


-- The services of the routes of this worker.
function _M.services()
  local router = require("kong.runloop.handler")._get_updated_router()
  return router and router.services or {}
end


function _M.init_worker()
  if _M.apply then
    require("kong.runloop.balancer").init = init
  end
end


return _M
