-- Hands requests over to kube-sync, whose relay sends them on.
local kong = kong
local ngx = ngx
local relay = {}

-- Names the rule by its key, as the last element of Via, whatever a client sent before it. Kong
-- makes that header when it sends the request, of a variable of nginx: the headers of the request,
-- which plugins read and logs have, never hold the key. The relay takes it off.
function relay.request(key)
  if key then
    ngx.var.upstream_via = ngx.var.upstream_via .. ", 1.1 " .. key
    kong.ctx.plugin.relayed = true
  end
end

local UNREACHABLE = [[{"message":"the gateway is not ready for this route"}]]

-- Kong itself says 502 when it cannot reach the relay, as while kube-sync starts anew. What
-- the relay says of its backends is another server's answer, and is left alone.
function relay.header()
  if kong.response.get_status() == 502 and kong.response.get_source() == "error" and kong.ctx.plugin.relayed then
    kong.ctx.plugin.unreachable = true
    kong.response.set_status(503)
    kong.response.set_header("Content-Type", "application/json; charset=utf-8")
    kong.response.set_header("Content-Length", #UNREACHABLE)
  end
end

function relay.body()
  if kong.ctx.plugin.unreachable then
    kong.response.set_raw_body(UNREACHABLE)
  end
end

return relay
