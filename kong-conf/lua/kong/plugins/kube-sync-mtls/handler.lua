-- Asks clients of some ports for a certificate, and lets nobody by who has none that is
-- good. Kong itself has no such thing for ports that are configured while it runs. It is
-- there only while a Gateway asks for it.
local handshake = require "kong.plugins.kube-sync-mtls.handshake"
local ssl = require "ngx.ssl"
local validation = require "kong.plugins.kube-sync-mtls.validation"

local tonumber = tonumber
local ngx = ngx

-- nginx's: the connection is closed without an answer.
local CLOSE = 444

local MTLS = {
  -- Before all others: whoever is not let by is not to be counted or redirected either.
  PRIORITY = 1000001,
  VERSION = "0.1.0",
}

-- For all connections, as they are made.
function MTLS.certificate(_, conf)
  handshake.watch(conf)
  local here = validation.at(conf, ssl.server_port())
  if here then
    handshake.ask(here)
  end
end

-- For all requests, before they are routed: a connection may be older than what is asked of
-- it now.
function MTLS.rewrite(_, conf)
  handshake.watch(conf)
  local here = validation.at(conf, tonumber(ngx.var.server_port))
  if not here or not here.required then
    return
  end
  if not validation.passed(here) then
    return ngx.exit(CLOSE)
  end
  ngx.ctx.kube_sync_validated = true
end

-- For requests to a route that is there for clients with a certificate alone, whatever else
-- Kong knows of its port.
function MTLS.access(_, conf)
  if conf.required == true and not ngx.ctx.kube_sync_validated then
    return ngx.exit(CLOSE)
  end
end

return MTLS
