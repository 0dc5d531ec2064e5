-- Where the examination of requests is called. This is no public interface of Kong: its function
-- `access.before`, which routes a request, is replaced by one that calls ours around it, and likewise
-- `log.after`. Kong looks both up in the table at each request. Where they are not there nothing is
-- replaced, and api.lua says so.
local body = require "kong.plugins.kube-sync-request.body"
local examine = require "kong.plugins.kube-sync-request.examine"
local prefix = require "kong.plugins.kube-sync-request.prefix"


local _M = {}


local problem = "no worker has been initialized"


local function look(runloop)
  for phase, name in pairs({ access = "before", log = "after" }) do
    if type(runloop[phase]) ~= "table" or type(runloop[phase][name]) ~= "function" then
      return "the module kong.runloop.handler has no function " .. phase .. "." .. name
    end
  end
end


-- Returns why this Kong is not one to work on, or nil.
function _M.install()
  local runloop = require "kong.runloop.handler"
  problem = look(runloop) or body.init_worker()
  if problem then
    return problem
  end

  local route, log = runloop.access.before, runloop.log.after

  -- Kong calls it again after an internal redirect, as for a service that speaks gRPC.
  runloop.access.before = function(ctx)
    if not ctx.kube_sync_examined then
      ctx.kube_sync_examined = true
      examine(ctx)
    end

    route(ctx)
    prefix()
    body.routed(ctx)
  end

  runloop.log.after = function(ctx)
    body.ended(ctx)
    return log(ctx)
  end
end


function _M.problem()
  return problem
end


return _M
