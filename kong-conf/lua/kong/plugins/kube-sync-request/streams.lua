-- How many connections and sessions of datagrams the stream routes of one namespace have open. A
-- backend that leads back to the gateway would open them until there is none left for the others:
-- nothing in a stream tells how often it came by. Beyond its part of a worker's connections a
-- namespace gets no more, and what goes in circles ends.
--
-- Touched of Kong: functions of its module kong.runloop.handler, which Kong looks up in a table for
-- each session, and the line worker_connections of the nginx.conf that Kong writes.
local namespace_of = require "kong.plugins.kube-sync-request.namespace"
local settings = require "kong.plugins.kube-sync-request.settings"

local exit = ngx.exit
local floor = math.floor
local kong = kong
local log = ngx.log
local tonumber = tonumber
local type = type
local var = ngx.var


local _M = {}


local SETTING = "limit_namespace_stream_sessions"

-- nginx counts a connection of the client's and one to the backend.
local CONNECTIONS = 2

-- Sessions of this worker by namespace.
local open = {}

local most


-- Half of this worker's connections, or what Kong has at least.
local function half()
  local file = io.open(kong.configuration.prefix .. "/nginx.conf")
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end

  local connections = tonumber(text:match("worker_connections%s+(%d+)")) or 1024
  return floor(connections / 2 / CONNECTIONS)
end


-- What a session takes: where TLS ends in Kong or passes through, Kong connects to itself first.
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


-- Returns why this Kong is not one to work on, or nil.
function _M.install()
  local runloop = require "kong.runloop.handler"
  local preread, ended = runloop.preread, runloop.log
  if type(preread) ~= "table" or type(preread.before) ~= "function"
     or type(ended) ~= "table" or type(ended.before) ~= "function" then
    return "the module kong.runloop.handler has no functions preread.before and log.before"
  end

  most = settings.number(SETTING) or half()
  if most == 0 then
    return
  end

  local route, note = preread.before, ended.before

  preread.before = function(ctx)
    local terminates = route(ctx)
    if not terminates and ctx.route then
      begin(ctx)
    end

    return terminates
  end

  ended.before = function(ctx)
    finish(ctx)
    return note(ctx)
  end
end


return _M
