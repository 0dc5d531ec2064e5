-- Passes requests to the relay of kube-sync, which sends them on.
local kong = kong
local ngx = ngx
local relay = {}


-- Adds the key of the rule to the header Via, as its last element. Kong makes that header from a variable of
-- nginx when it sends the request. So the key is never in the headers that plugins and logs read. The
-- relay removes it.
function relay.request(key)
  if key then
    ngx.var.upstream_via = ngx.var.upstream_via .. ", 1.1 " .. key
    kong.ctx.plugin.relayed = true
  end
end


local UNREACHABLE = [[{"message":"the gateway is not ready for this route"}]]


-- Changes Kong's own 502 to 503: Kong cannot reach the relay while kube-sync restarts. The relay's own
-- responses stay as they are.
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
