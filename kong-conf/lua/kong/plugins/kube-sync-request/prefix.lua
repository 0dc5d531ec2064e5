-- Kong sends the part of the path that a route matched and removed in X-Forwarded-Prefix, percent-decoded. A
-- regular expression may match line breaks, with which a client could add headers or another request.
local internals = require("kong.kube_sync.internals").of("kube-sync-request/examination")

local find = string.find
local var = ngx.var


return function()
  local prefix = var.upstream_x_forwarded_prefix
  if prefix and find(prefix, "%c") then
    local uri = internals.module("kong.tools.uri")
    var.upstream_x_forwarded_prefix = uri.escape(prefix)
  end
end
