-- Where the examination of requests is called. This is no public interface of Kong: functions of its module
-- kong.runloop.handler, which Kong looks up in a table at each request, are replaced by ones that call ours
-- around them. Where they are not there nothing is replaced, and api.lua says so.
local body = require "kong.plugins.kube-sync-request.body"
local examine = require "kong.plugins.kube-sync-request.examine"
local framing = require "kong.plugins.kube-sync-request.framing"
local prefix = require "kong.plugins.kube-sync-request.prefix"


local _M = {}


local HOOKS = { { "access", "before" }, { "access", "after" }, { "header_filter", "before" }, { "header_filter", "after" }, { "log", "after" } }

local problem = "no worker has been initialized"


local function look(runloop)
  for _, hook in ipairs(HOOKS) do
    local phase, name = hook[1], hook[2]
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

  framing.init_worker()

  local access, header_filter, log = runloop.access, runloop.header_filter, runloop.log
  local route, send, answer, answered, ended = access.before, access.after, header_filter.before, header_filter.after, log.after

  -- Kong calls it again after an internal redirect, as for a service that speaks gRPC.
  access.before = function(ctx)
    if not ctx.kube_sync_examined then
      ctx.kube_sync_examined = true
      examine(ctx)
    end

    route(ctx)
    prefix()
    body.routed(ctx)
  end

  access.after = function(ctx)
    framing.sending(ctx)
    return send(ctx)
  end

  header_filter.before = function(ctx)
    framing.answering(ctx)
    return answer(ctx)
  end

  header_filter.after = function(ctx)
    framing.answered(ctx)
    return answered(ctx)
  end

  log.after = function(ctx)
    body.ended(ctx)
    return ended(ctx)
  end
end


function _M.problem()
  return problem
end


return _M
