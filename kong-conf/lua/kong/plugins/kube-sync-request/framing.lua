-- The length of a message follows from its body. If a plugin changes the length of a request, the backend
-- takes the rest of the body for the next request. If it changes the length of a response, the client
-- takes the rest for the next response. Behind a load balancer, that may be another client's. Here such
-- a change has no effect. The PDK looks up the replaced functions at each call.
local internals = require("kong.kube_sync.internals").of("kube-sync-request/examination")
local error = kong.response.error
local find = string.find
local header = ngx.header
local kong = kong
local lower = string.lower
local type = type
local var = ngx.var


local _M = {}


local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true }

local logged = {}


local function frames(name)
  return type(name) == "string" and (#name == 14 or #name == 17) and FRAMING[lower(name)]
end


local function warn(name, of)
  name = lower(name)
  if not logged[name .. of] then
    logged[name .. of] = true
    kong.log.warn("a plugin changes the header ", name, " of ", of, ", which has no effect")
  end
end


-- A request of length 0 ends with its headers, with or without its header Content-Length.
local function empty()
  return var.http_content_length == "0"
end


function _M.init_worker()
  internals.replace("ngx", "req.set_header", function(set_header)
    return function(name, value)
      if frames(name) then
        return warn(name, "requests")
      end

      return set_header(name, value)
    end
  end)

  internals.replace("ngx", "req.clear_header", function(clear_header)
    return function(name)
      if frames(name) and not empty() then
        return warn(name, "requests")
      end

      return clear_header(name)
    end
  end)
end


-- Runs after plugins, before Kong sends the request. A plugin may build the Host header from the client's
-- data, and nginx sends it unchecked.
function _M.sending(ctx)
  local host = var.upstream_host
  if host and host ~= "" and host ~= ctx.cached_request_headers.host and find(host, "%c") then
    return error(400, "the header Host that a plugin sets has control characters")
  end
end


-- Runs before plugins change a response, and answered runs after them.
function _M.answering(ctx)
  ctx.kube_sync_length = header["Content-Length"]
end


function _M.answered(ctx)
  local length = header["Content-Length"]
  if length and length ~= ctx.kube_sync_length then
    header["Content-Length"] = nil
    warn("Content-Length", "responses")
  end
end


return _M
