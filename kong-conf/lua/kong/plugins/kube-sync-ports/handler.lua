-- Kong tells Gateways apart by the port at which their requests arrive. The router's field net.dst.port prefers
-- a port in the Host header, so a client could choose the Gateway. Here it is the port of the connection.
-- Everything after the router sees the Gateway's port, to which the client connected.
local internals = require("kong.kube_sync.internals").of("kube-sync-ports/ports")

local tonumber = tonumber
local ngx = ngx

local Ports = {
  PRIORITY = 1000000,
  VERSION = "1.0.0",
}

internals.assert()

if ngx.config.subsystem == "http" then
  internals.replace("kong.router.fields", "get_value", function(get_value)
    return function(fields, field, params, ctx)
      if field == "net.dst.port" then
        return tonumber(ngx.var.server_port)
      end
      return get_value(fields, field, params, ctx)
    end
  end)

else
  -- Kong caches the route of a connection by its port, but not by its transport.
  internals.replace("kong.router.fields", "get_cache_key", function(get_cache_key)
    return function(fields, params, ctx)
      return get_cache_key(fields, params, ctx) .. ngx.var.protocol
    end
  end)
end


-- Before the request is routed.
function Ports.rewrite(_, conf)
  local ctx = ngx.ctx
  local here = tonumber(ngx.var.server_port)
  local ports = conf.ports
  for i = 1, #ports do
    if ports[i].kong == here then
      ctx.host_port = ports[i].gateway
      return
    end
  end
end


return Ports
