-- Gateways are told apart by the port of Kong that their requests come to. In the router
-- that is net.dst.port, which Kong takes from the Host header where that has a port: a
-- client could choose the Gateway. Here it is the connection's. To everything behind the
-- router the port is the one that the client connected to, the Gateway's.
local tonumber = tonumber
local ngx = ngx

local Ports = {
  PRIORITY = 1000000,
  VERSION = "0.1.0",
}

if ngx.config.subsystem == "http" then
  local fields = require "kong.router.fields"
  local value_of = fields.get_value

  function fields:get_value(field, params, ctx)
    if field == "net.dst.port" then
      return tonumber(ngx.var.server_port)
    end
    return value_of(self, field, params, ctx)
  end

else
  -- Kong remembers which route a connection had by the port, and not by the transport.
  local fields = require "kong.router.fields"
  local key_of = fields.get_cache_key

  function fields:get_cache_key(params, ctx)
    return key_of(self, params, ctx) .. ngx.var.protocol
  end
end

-- For all requests, before they are routed.
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
