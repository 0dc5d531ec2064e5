-- Examines each request before Kong routes it. What Kong, plugins and backends could read in two ways is
-- refused, or rewritten into the form that all of them read alike. The plugin needs no entity:
-- hook.lua wraps functions of Kong.
local Request = {
  PRIORITY = 0,
  VERSION = "1.0.0",
}


function Request.init_worker()
  if ngx.config.subsystem ~= "http" then
    local problem = require("kong.plugins.kube-sync-request.streams").install()
    if problem then
      kong.log.crit("the streams of namespaces are not counted: ", problem)
    end
    return
  end

  local problem = require("kong.plugins.kube-sync-request.hook").install()
  if problem then
    kong.log.crit("requests are not examined before they are routed: ", problem)
  end
end


return Request
