-- Where a message ends follows from its body. A filter or plugin of one route that removes or sets the
-- length of a request has Kong take the rest of the body for the next request, and one that sets the length
-- of an answer has clients take the rest for the next answer: on the connections of a load balancer in front
-- of Kong both are of somebody else. Here such a change has no effect.
--
-- Touched of Kong: ngx.req.set_header and ngx.req.clear_header, which the PDK looks up at each call, and
-- the variable upstream_host.
local error = kong.response.error
local find = string.find
local header = ngx.header
local kong = kong
local lower = string.lower
local type = type
local var = ngx.var


local _M = {}


local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true }

local told = {}


local function frames(name)
  return type(name) == "string" and (#name == 14 or #name == 17) and FRAMING[lower(name)]
end


local function tell(name, of)
  name = lower(name)
  if not told[name .. of] then
    told[name .. of] = true
    kong.log.warn("a plugin changes the header ", name, " of ", of, ", which has no effect")
  end
end


-- A request with a length of 0 ends with its headers, with or without saying so.
local function empty()
  return var.http_content_length == "0"
end


function _M.init_worker()
  local set_header, clear_header = ngx.req.set_header, ngx.req.clear_header

  ngx.req.set_header = function(name, value)
    if frames(name) then
      return tell(name, "requests")
    end

    return set_header(name, value)
  end

  ngx.req.clear_header = function(name)
    if frames(name) and not empty() then
      return tell(name, "requests")
    end

    return clear_header(name)
  end
end


-- After plugins have run, and before the request is sent. A plugin may have made the Host header of
-- whatever a client sent, and nginx sends it as it is.
function _M.sending(ctx)
  local host = var.upstream_host
  if host and host ~= "" and host ~= ctx.cached_request_headers.host and find(host, "%c") then
    return error(400, "the name of the backend that a plugin makes has control characters")
  end
end


-- Before and after plugins have run on an answer.
function _M.answering(ctx)
  ctx.kube_sync_length = header["Content-Length"]
end


function _M.answered(ctx)
  local length = header["Content-Length"]
  if length and length ~= ctx.kube_sync_length then
    header["Content-Length"] = nil
    tell("Content-Length", "answers")
  end
end


return _M
