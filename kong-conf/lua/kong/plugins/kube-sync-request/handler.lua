-- Looks at each request before Kong routes it. What Kong, plugins or backends could read in two ways
-- is refused, or put into the form that all of them read alike. It takes the place of no route's
-- plugins and needs no entity: hook.lua says where it is called.
local Request = {
  VERSION = "1.0.0",
  PRIORITY = 0,
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
