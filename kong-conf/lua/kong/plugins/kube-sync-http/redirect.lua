-- Answers with a redirect.
local internals = require("kong.kube_sync.internals").of("kube-sync-http/filters")
local replaced = require "kong.plugins.kube-sync-http.path"

local escape = internals.module("kong.tools.uri").escape
local kong = kong
local default_ports = { http = 80, https = 443 }


-- Returns the port of the request's listener. Several listeners may share a port of Kong: then it is the
-- port in the Host header, or the default port of the scheme.
local function listener_port(ports, scheme)
  local named = tonumber((kong.request.get_header("host") or ""):match(":(%d+)$")) or default_ports[scheme]
  for _, port in ipairs(ports) do
    if port == named then
      return port
    end
  end
  return ports[1]
end


return function(conf)
  local scheme = conf.scheme or kong.request.get_forwarded_scheme()
  local location = scheme .. "://" .. (conf.host or kong.request.get_forwarded_host())
  local port, ports = conf.port, conf[scheme .. "_ports"]
  if not port and ports then
    port = listener_port(ports, scheme)
  end
  if port and port ~= default_ports[scheme] then
    location = location .. ":" .. port
  end
  local path = kong.request.get_path()
  if conf.path then
    path = replaced(conf.path, path)
  end
  location = location .. escape(path)
  local query = kong.request.get_raw_query()
  if query ~= "" then
    location = location .. "?" .. query
  end
  return kong.response.exit(conf.status, nil, { Location = location })
end
