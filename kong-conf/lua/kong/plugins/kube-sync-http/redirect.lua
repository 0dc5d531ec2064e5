-- Answers with a redirect.
local escape = require("kong.tools.uri").escape
local replaced = require "kong.plugins.kube-sync-http.path"

local kong = kong
local default_ports = { http = 80, https = 443 }

return function(conf)
  local scheme = conf.scheme or kong.request.get_forwarded_scheme()
  local location = scheme .. "://" .. (conf.host or kong.request.get_forwarded_host())
  if conf.port and conf.port ~= default_ports[scheme] then
    location = location .. ":" .. conf.port
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
