-- Hands requests over to kube-sync, whose relay sends them on.
local kong = kong
local relay = {}

-- Names the rule by its key; last, and in the place of whatever a client sent.
function relay.request(key)
  if key then
    kong.service.request.set_header("X-Kube-Sync-Relay", key)
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
