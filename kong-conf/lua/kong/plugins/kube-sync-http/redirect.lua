-- Answers with a redirect.
local escape = require("kong.tools.uri").escape
local replaced = require "kong.plugins.kube-sync-http.path"

local kong = kong
local default_ports = { http = 80, https = 443 }

-- The port of the listener that the request came by. Several may lead to one port of Kong's:
-- it is the one in the Host header, of which clients leave out their scheme's own.
local function came_by(ports, scheme)
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
    port = came_by(ports, scheme)
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
