-- Asks clients at some ports for a certificate, and refuses those without a valid one. Kong cannot do that
-- for ports that are configured while it runs. The plugin is configured only while a Gateway asks for
-- client certificates.
local handshake = require "kong.plugins.kube-sync-mtls.handshake"
local sessions = require "kong.plugins.kube-sync-mtls.sessions"
local ssl = require "ngx.ssl"
local validation = require "kong.plugins.kube-sync-mtls.validation"

local tonumber = tonumber
local ngx = ngx

local CLOSE = 444 -- nginx closes the connection without a response

local MTLS = {
  -- Before all others: a refused request is neither counted nor redirected.
  PRIORITY = 1000001,
  VERSION = "1.0.0",
}


-- During the handshake of every connection.
function MTLS.certificate(_, conf)
  sessions.watch(conf)
  local here = validation.at(conf, ssl.server_port())
  if here then
    handshake.ask(here)
  end
end


-- Before a request is routed, because its connection may be older than the current configuration.
function MTLS.rewrite(_, conf)
  sessions.watch(conf)
  local here = validation.at(conf, tonumber(ngx.var.server_port))
  if not here or not here.required then
    return
  end
  if not validation.passed(here) then
    return ngx.exit(CLOSE)
  end
  ngx.ctx.kube_sync_validated = true
end


-- On a route that is only for clients with a certificate, even if its port does not ask for one.
function MTLS.access(_, conf)
  if conf.required == true and not ngx.ctx.kube_sync_validated then
    return ngx.exit(CLOSE)
  end
end


return MTLS
