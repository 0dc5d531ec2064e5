-- Returns the namespace that owns a plugin's configuration: that of its route, service or consumer, or "" for
-- the operator's plugins, which apply to all requests. It is computed on the first request, because timers have
-- no route.
local namespace_of = require "kong.kube_sync.namespace"

local ngx = ngx
local type = type


local owners = setmetatable({}, { __mode = "k" })


return function(conf)
  local owner = owners[conf]
  if owner then
    return owner
  end

  local ctx = ngx.ctx
  local holder
  if conf.route_id then
    holder = ctx.route
  elseif conf.service_id then
    holder = ctx.service
  elseif conf.consumer_id then
    holder = ctx.authenticated_consumer
  end

  owner = type(holder) == "table" and namespace_of(holder) or ""
  owners[conf] = owner
  return owner
end
