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
  require("kong.plugins.kube-sync-delta.patterns").init()
  require("kong.plugins.kube-sync-delta.trial").init(require "kong.runloop.handler")
end


-- kube-sync runs as the worker that starts it does. What it writes about its own start goes
-- into Kong's log at a level that is dropped by default, unless it may open that log itself.
local function complain_of_settings()
  local path = kong.configuration.kong_env
  local file, problem = io.open(path or "", "r")
  if file then
    file:close()

  elseif path then
    kong.log.err("kube-sync cannot read Kong's settings in effect, and configures nothing: ", problem,
                 "; the user of Kong's workers (nginx_user) has to be the one that starts Kong, or may read that file")
  end
end


function Delta.init_worker()
  require("kong.plugins.kube-sync-delta.server_name").init_worker()
  if ngx.config.subsystem == "http" then
    require("kong.plugins.kube-sync-delta.secrets").init_worker()
  end

  if ngx.worker.id() == 0 and ngx.config.subsystem == "http" then
    complain_of_settings()
  end

  local problem = internals.problem()
  if not problem then
    require("kong.plugins.kube-sync-delta.trial").done()
    require("kong.plugins.kube-sync-delta.takeover").init_worker()
    if ngx.config.subsystem == "http" then
      require("kong.plugins.kube-sync-delta.busy").init_worker()
      require("kong.plugins.kube-sync-delta.lock").init_worker()
      require("kong.plugins.kube-sync-delta.pools").init_worker()
    end

  elseif ngx.worker.id() == 0 and ngx.config.subsystem == "http" then
    kong.log.warn("changes go through full loads only: ", problem)
  end
end


return Delta
