-- No request passes through here: the plugin is an Admin route (api.lua) and, in every
-- worker of both subsystems, the subscription by which that worker takes changes over.
--
-- Loaded in nginx's master, egress.lua guards what workers connect to, before any of them
-- runs and whether or not changes can be taken over.
require "kong.plugins.kube-sync-delta.egress"


local Delta = {
  VERSION = "1.0.0",
  PRIORITY = 0,
}


local internals = require "kong.plugins.kube-sync-delta.internals"


if ngx.get_phase() == "init" and internals.is_version() then
  require("kong.plugins.kube-sync-delta.trial").init(require "kong.runloop.handler")
end


function Delta.init_worker()

  if ngx.config.subsystem == "http" then
    require("kong.plugins.kube-sync-delta.secrets").init_worker()
  end

  local problem = internals.problem()
  if not problem then
    require("kong.plugins.kube-sync-delta.trial").done()
    require("kong.plugins.kube-sync-delta.takeover").init_worker()
    if ngx.config.subsystem == "http" then
      require("kong.plugins.kube-sync-delta.lock").init_worker()
      require("kong.plugins.kube-sync-delta.pools").init_worker()
    end

  elseif ngx.worker.id() == 0 and ngx.config.subsystem == "http" then
    kong.log.warn("changes go through full loads only: ", problem)
  end
end


return Delta
