-- Wraps the functions of Kong that route a request and send it on. Kong looks them up in a table at each
-- request. On a Kong where they differ, nothing is replaced, and the Admin route (api.lua) says why.
local body = require "kong.plugins.kube-sync-request.body"
local examine = require "kong.plugins.kube-sync-request.examine"
local framing = require "kong.plugins.kube-sync-request.framing"
local internals = require("kong.kube_sync.internals").of("kube-sync-request/examination")
local prefix = require "kong.plugins.kube-sync-request.prefix"


local _M = {}


local problem = "no worker has been initialized"


-- Replaces a function with one that first calls ours.
local function before(path, ours)
  internals.replace("kong.runloop.handler", path, function(theirs)
    return function(ctx)
      ours(ctx)
      return theirs(ctx)
    end
  end)
end


-- Returns what is wrong with this Kong, or nil.
function _M.install()
  problem = internals.problem()
  if problem then
    return problem
  end

  body.init_worker()
  framing.init_worker()

  -- Kong calls it again after an internal redirect, as for a service that speaks gRPC.
  internals.replace("kong.runloop.handler", "access.before", function(route)
    return function(ctx)
      if not ctx.kube_sync_examined then
        ctx.kube_sync_examined = true
        examine(ctx)
      end

      route(ctx)
      prefix()
      body.routed(ctx)
    end
  end)

  before("access.after", framing.sending)
  before("header_filter.before", framing.answering)
  before("header_filter.after", framing.answered)
  before("log.after", body.ended)
end


function _M.problem()
  return problem
end


return _M
