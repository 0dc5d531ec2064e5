-- The namespace that a plugin's configuration counts for: that of the route, service or consumer
-- which has the plugin, or "" for the operator, whose plugins are for all requests. It is known in
-- a request, and from then on where there is none.
local namespace_of = require "kong.plugins.kube-sync-request.namespace"

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
