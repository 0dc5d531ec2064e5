-- How much of the bodies of requests Kong holds. By itself it writes every body whole to a file before
-- the backend is sent any of it, whatever its size: a client fills the disk that the gateway's own
-- configuration is on. Here bodies are held up to a size, and all together up to another; those that are
-- larger, of a length that nobody knows, or without a place are sent on as they come, as Kong sends those
-- of a route with request_buffering off. A plugin that reads such a body is bounded too.
--
-- Touched of Kong: the locations @unbuffered and @unbuffered_request, and what the PDK calls to read a
-- body, an upvalue of its function get_raw_body and ngx.req.read_body itself.
local namespace_of = require "kong.plugins.kube-sync-request.namespace"
local quota = require "kong.plugins.kube-sync-request.quota"
local semaphore = require "ngx.semaphore"
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"

local exec = ngx.exec
local discard_body = ngx.req.discard_body
local get_method = ngx.req.get_method
local http_version = ngx.req.http_version
local kong = kong
local rawget = rawget
local tonumber = tonumber
local var = ngx.var


local _M = {}


-- nginx keeps these in memory, and no file is made.
local IN_MEMORY = 8192

-- How often the length of a body is looked at that is being read, in seconds.
local STEP = 0.02

local BODILESS = { GET = true, HEAD = true }

-- Bytes that one body may have to be held, 0 for any number, and what all of this worker share.
local most, held


-- Bytes of a body, nil if there is none, and math.huge if nobody knows.
local function length(headers)
  local said = rawget(headers, "content-length")
  if said then
    return tonumber(said) or math.huge
  end

  if rawget(headers, "transfer-encoding") then
    return math.huge
  end

  -- in HTTP/2 nothing need be said
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


-- After Kong has routed a request, and before plugins run.
function _M.routed(ctx)
  if most == 0 or ctx.kube_sync_streams then
    return
  end

  local bytes = length(ctx.cached_request_headers)
  if not bytes or bytes <= IN_MEMORY then
    return
  end

  -- nginx never holds what it sends by gRPC, but a plugin may read it
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


-- Bytes of the request by now. In capital letters nginx looks the variable up each time; Kong finds the
-- other name in an index of values that stay as they were at first.
local function received()
  return tonumber(var.REQUEST_LENGTH)
end


-- Reads a body of a length that nobody knows, and ends the request when it becomes too long.
local function read_some(read, ctx)
  if not ctx.kube_sync_held and not reserve(ctx, most) then
    return kong.response.error(503, "the gateway holds too many bodies of requests")
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

    return kong.response.error(503, "the gateway holds too many bodies of requests")
  end
end


-- Returns what is missing of Kong, or nil.
function _M.init_worker()
  local settings = require "kong.plugins.kube-sync-request.settings"
  most = settings.size("max_buffered_body")
  held = quota.new(settings.size("max_buffered_bodies") / ngx.worker.count())

  local get_raw_body = kong.request.get_raw_body
  local read_body, at = upvalue(get_raw_body, "read_body")
  if not at then
    return "the PDK reads bodies in another way"
  end

  debug.setupvalue(get_raw_body, at, bounded(read_body))
  ngx.req.read_body = bounded(ngx.req.read_body)
end


return _M
