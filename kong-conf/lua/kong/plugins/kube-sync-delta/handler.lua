-- Takes over changes of the configuration. The plugin runs in no phase of requests: it is an Admin route
-- (api.lua) and, in every worker of both subsystems, the subscription by which that worker follows changes.
--
-- nginx's master loads egress.lua, which guards the connections of all workers, whether or not changes can
-- be taken over.
require "kong.plugins.kube-sync-delta.egress"

local deltas = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local patterns = require("kong.kube_sync.internals").of("kube-sync-delta/patterns")


local Delta = {
  PRIORITY = 0,
  VERSION = "1.0.0",
}


if ngx.get_phase() == "init" and not deltas.unknown_version() then
  require("kong.plugins.kube-sync-delta.patterns").init()
  -- in this order, because the recovery may take a change back before the hash is read
  require("kong.plugins.kube-sync-delta.start").init()
  require("kong.plugins.kube-sync-delta.crash_recovery").init()
end


-- kube-sync runs as the user of the worker that starts it. If it cannot open Kong's log itself, Kong logs its
-- messages at a level that is dropped by default.
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


local function complain_of_kong()
  local problem = deltas.problem()
  if problem then
    kong.log.warn("changes go through full loads only: ", problem)
  end

  problem = patterns.unknown_version()
  if problem then
    kong.log.warn("strings in which Kong's schemas look for patterns have no bound: ", problem)
  end
end


function Delta.init_worker()
  local http = ngx.config.subsystem == "http"
  require("kong.plugins.kube-sync-delta.server_name").init_worker()
  if http then
    require("kong.plugins.kube-sync-delta.secrets").init_worker()
  end

  if http and ngx.worker.id() == 0 then
    complain_of_settings()
    complain_of_kong()
  end

  if deltas.problem() then
    return
  end

  require("kong.plugins.kube-sync-delta.crash_recovery").done()
  require("kong.plugins.kube-sync-delta.takeover").init_worker()
  if http then
    require("kong.plugins.kube-sync-delta.busy").init_worker()
    require("kong.plugins.kube-sync-delta.lock").init_worker()
    require("kong.plugins.kube-sync-delta.pools").init_worker()
  end
end


return Delta
