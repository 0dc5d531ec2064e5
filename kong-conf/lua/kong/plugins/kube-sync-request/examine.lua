-- Examines a request before it is routed.
local connection = require "kong.plugins.kube-sync-request.connection"
local header_names = require "kong.plugins.kube-sync-request.header_names"
local host = require "kong.plugins.kube-sync-request.host"
local via = require "kong.plugins.kube-sync-request.via"

local get_headers = ngx.req.get_headers
local gsub = string.gsub
local kong = kong
local match = string.match
local rawget = rawget
local select = select
local var = ngx.var

-- The number of parameters of a query that Kong reads.
local PARAMETERS = kong.configuration.lua_max_uri_args


-- For most requests, the functions that it calls after header_names are not needed.
return function(ctx)
  local headers, err = get_headers()
  -- Kong routes by the headers that it has read, and a client could hide any of the others from it.
  if err == "truncated" then
    return kong.response.error(431, "the request has too many headers")
  end

  local target = var.request_uri
  if #target > PARAMETERS and select(2, gsub(match(target, "%?.*") or "", "&", "")) >= PARAMETERS then
    return kong.response.error(414, "the request has too many parameters")
  end

  -- Kong caches them here when it routes.
  ctx.cached_request_headers = headers

  header_names(headers)

  local options = rawget(headers, "connection")
  if options and not connection.plain[options] then
    connection.clean(headers, options)
  end

  local asked = rawget(headers, "host")
  if asked ~= var.host then
    host(headers, asked)
  end

  local gateways = rawget(headers, "via")
  if gateways then
    via(gateways)
  end
end
