-- Makes the cost of routing a request independent of the number of routes that cannot match it. Kong's router
-- compares a request with all routes, by priority. This plugin has Kong build an index of small routers in place
-- of the one large router (index.lua); the route that a request gets is the same.
--
-- The plugin runs in no phase of requests. nginx's master loads it before Kong builds a router.
local internals = require("kong.kube_sync.internals").of("kube-sync-router/index")


local Router = {
  PRIORITY = 0,
  VERSION = "1.0.0",
}


local http = ngx.config.subsystem == "http"


if http and ngx.get_phase() == "init" and not internals.problem() then
  local index = require "kong.plugins.kube-sync-router.index"

  internals.replace("kong.router.atc", "new>new_from_scratch>get_atc_router", function(get_atc_router)
    return function()
      return index.new(get_atc_router)
    end
  end)

  -- A router is asked with a context, whose values cannot be read.
  internals.replace("kong.router.fields", "fill_atc_context", function(fill_atc_context)
    return function(fields, context, params)
      context.kube_sync_params = params
      return fill_atc_context(fields, context, params)
    end
  end)
end


function Router.init_worker()
  local problem = internals.problem()
  if problem and http and ngx.worker.id() == 0 then
    kong.log.warn("each request is compared with all routes: ", problem)
  end
end


return Router
