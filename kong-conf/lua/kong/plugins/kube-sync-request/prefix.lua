-- Kong tells backends in X-Forwarded-Prefix what a route matched of the path and removed from it, as it
-- was routed: percent-decoded. A regular expression may match line breaks, and with them a client would
-- end the header and begin others, or another request.
local escape = require("kong.tools.uri").escape
local find = string.find
local var = ngx.var


return function()
  local prefix = var.upstream_x_forwarded_prefix
  if prefix and find(prefix, "%c") then
    var.upstream_x_forwarded_prefix = escape(prefix)
  end
end
