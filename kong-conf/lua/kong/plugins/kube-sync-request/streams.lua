-- Bounds how many connections and UDP sessions the stream routes of one namespace have open. A backend that
-- leads back to the gateway would take all connections, and nothing in a stream says how often it passed
-- the gateway. A namespace has a share of a worker's connections and gets no more, so that a loop ends.
-- Kong looks up the replaced functions for each session.
local internals = require("kong.kube_sync.internals").of("kube-sync-request/streams")
local namespace_of = require "kong.kube_sync.namespace"
local settings = require "kong.plugins.kube-sync-request.settings"

local exit = ngx.exit
local floor = math.floor
local kong = kong
local log = ngx.log
local tonumber = tonumber
local var = ngx.var


local _M = {}


local SETTING = "limit_namespace_stream_sessions"

-- Connections of a session in nginx: one with the client, one with the backend.
local CONNECTIONS = 2

-- Sessions of this worker by namespace.
local open = {}

local most


-- Returns the number of sessions that take half of this worker's connections, by the nginx.conf that Kong
-- writes. Kong's own minimum is 1024 connections.
local function half()
  local file = io.open(kong.configuration.prefix .. "/nginx.conf")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end

  local connections = tonumber(text:match("worker_connections%s+(%d+)")) or 1024
  return floor(connections / 2 / CONNECTIONS)
end


-- Returns how many sessions a connection needs: two for TLS, because Kong connects to itself first.
local function size()
  local tls = var.kong_tls_passthrough_block == "1" or (var.ssl_protocol or "") ~= ""
  return tls and 2 or 1
end


local function begin(ctx)
  local namespace = namespace_of(ctx.route)
  local n = size()
  local all = (open[namespace] or 0) + n
  if all > most then
    log(ngx.WARN, "connection refused by the gateway: stream routes of namespace ", namespace, " have ", all - n,
        " open in this worker; the setting LIMIT_NAMESPACE_STREAM_SESSIONS allows more")
    return exit(503)
  end

  open[namespace] = all
  ctx.kube_sync_session = { namespace = namespace, n = n }
end


local function finish(ctx)
  local session = ctx.kube_sync_session
  if not session then
    return
  end

  ctx.kube_sync_session = nil
  local left = open[session.namespace] - session.n
  open[session.namespace] = left > 0 and left or nil
end


-- Returns what is wrong with this Kong, or nil.
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  most = settings.number(SETTING) or half()
  if most == 0 then
    return
  end

  internals.replace("kong.runloop.handler", "preread.before", function(route)
    return function(ctx)
      local terminates = route(ctx)
      if not terminates and ctx.route then
        begin(ctx)
      end

      return terminates
    end
  end)

  internals.replace("kong.runloop.handler", "log.before", function(log_before)
    return function(ctx)
      finish(ctx)
      return log_before(ctx)
    end
  end)
end


return _M
