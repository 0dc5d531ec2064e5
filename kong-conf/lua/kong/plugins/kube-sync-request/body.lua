-- Bounds how much of request bodies Kong holds. Kong writes every body to a file before it sends any of it to
-- the backend, so a client could fill the disk that holds the gateway's configuration. Here there is a
-- limit for one body, and one for all bodies. A body that exceeds a limit, or whose length is unknown, is
-- sent on as it arrives, as on a route with request_buffering off. Plugins that read such a body are
-- bounded, too.
local internals = require("kong.kube_sync.internals").of("kube-sync-request/examination")
local namespace_of = require "kong.kube_sync.namespace"
local quota = require "kong.kube_sync.quota"
local semaphore = require "ngx.semaphore"

local exec = ngx.exec
local discard_body = ngx.req.discard_body
local get_method = ngx.req.get_method
local http_version = ngx.req.http_version
local kong = kong
local rawget = rawget
local tonumber = tonumber
local var = ngx.var


local _M = {}


-- nginx keeps bodies up to this size, in bytes, in memory.
local IN_MEMORY = 8192

-- While a body is read, its length is checked once in this many seconds.
local STEP = 0.02

local BODILESS = { GET = true, HEAD = true }

-- The limit for one body, in bytes, or 0 for none, and the quota of this worker for all bodies.
local most, held


-- Returns the length of a body in bytes, nil if there is none, or math.huge if it is unknown.
local function length(headers)
  local said = rawget(headers, "content-length")
  if said then
    return tonumber(said) or math.huge
  end

  if rawget(headers, "transfer-encoding") then
    return math.huge
  end

  -- HTTP/2 requires neither header
  if http_version() == 2 then
    if BODILESS[get_method()] then
      discard_body()
      return nil
    end
    return math.huge
  end
end


local function reserve(ctx, bytes)
  local namespace = ctx.route and namespace_of(ctx.route) or ""
  if not held:take(namespace, bytes) then
    return false
  end

  ctx.kube_sync_held = { namespace = namespace, bytes = bytes }
  return true
end


-- Runs after Kong has routed a request, and before plugins.
function _M.routed(ctx)
  if most == 0 or ctx.kube_sync_streams then
    return
  end

  local bytes = length(ctx.cached_request_headers)
  if not bytes or bytes <= IN_MEMORY then
    return
  end

  -- nginx never holds the bodies of gRPC requests, but a plugin may read them
  local grpc = var.kong_proxy_mode == "grpc"
  if bytes <= most and (grpc or reserve(ctx, bytes)) then
    return
  end

  ctx.kube_sync_streams = bytes
  local route = ctx.route
  if grpc or not ctx.service or route.request_buffering == false then
    return
  end

  return exec(route.response_buffering == false and "@unbuffered" or "@unbuffered_request")
end


function _M.ended(ctx)
  local reserved = ctx.kube_sync_held
  if reserved then
    ctx.kube_sync_held = nil
    held:give(reserved.namespace, reserved.bytes)
  end
end


function _M.held()
  return held and held.taken
end


local function too_large()
  return kong.response.error(413, "a plugin of this route reads the whole body, and it is too large for that")
end


-- Returns the bytes of the request so far. Kong caches variables by their names in lower case; nginx finds
-- the name in capitals each time.
local function received()
  return tonumber(var.REQUEST_LENGTH)
end


-- Reads a body of unknown length, and ends the request when the body becomes too long.
local function read_some(read, ctx)
  if not ctx.kube_sync_held and not reserve(ctx, most) then
    return kong.response.error(503, "the gateway holds too many request bodies")
  end

  local done
  local signal = semaphore.new()
  local before = received()
  ngx.thread.spawn(function()
    read()
    done = true
    signal:post()
  end)

  while not done do
    signal:wait(STEP)
    if received() - before > most then
      return too_large()
    end
  end
end


local function bounded(read)
  return function()
    local ctx = ngx.ctx
    local bytes = ctx.kube_sync_streams
    if not bytes or ctx.kube_sync_read then
      return read()
    end

    ctx.kube_sync_read = true
    if bytes == math.huge then
      return read_some(read, ctx)
    end

    if bytes > most then
      return too_large()
    end

    return kong.response.error(503, "the gateway holds too many request bodies")
  end
end


function _M.init_worker()
  local settings = require "kong.plugins.kube-sync-request.settings"
  most = settings.size("max_buffered_body")
  held = quota.new(settings.size("max_buffered_bodies") / ngx.worker.count())

  internals.replace("PDK", "request.get_raw_body>read_body", bounded)
  internals.replace("ngx", "req.read_body", bounded)
end


return _M
