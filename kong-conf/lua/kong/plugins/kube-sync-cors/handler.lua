-- Answers the CORS preflight requests of browsers, and sets the headers of all other responses that say
-- which pages may read them. It drops the CORS headers of the backend. The bundled plugin cors has other
-- wildcards, and exposes nothing to preflights. On a route with both, this plugin answers preflights,
-- and the bundled one sets the headers of other responses last.
local allowed = require "kong.plugins.kube-sync-cors.origin"

local concat = table.concat
local kong = kong

local CORS = {
  -- Before authentication, like the bundled plugin cors: preflights have no credentials.
  PRIORITY = 2001,
  VERSION = "1.0.0",
}


-- "*" allows what the preflight asks for.
local function listed(list, asked)
  if list == "*" then
    return asked
  end
  return list
end


function CORS.access(_, conf)
  local get_header = kong.request.get_header
  local origin = get_header("Origin")
  local method = get_header("Access-Control-Request-Method")
  if not origin or not method or kong.request.get_method() ~= "OPTIONS" then
    return
  end
  if not allowed(conf, origin) then
    return kong.response.exit(403, { message = "this origin is not allowed" })
  end
  return kong.response.exit(204, nil, {
    ["Access-Control-Allow-Methods"] = listed(conf.methods, method),
    ["Access-Control-Allow-Headers"] = listed(conf.headers, get_header("Access-Control-Request-Headers")),
    ["Access-Control-Max-Age"] = conf.max_age,
  })
end


-- For requests with credentials, browsers read "*" as the name of a header.
local function exposed(conf)
  if conf.expose ~= "*" or not conf.credentials then
    return conf.expose
  end
  local names = {}
  for name in pairs(kong.response.get_headers()) do
    names[#names + 1] = name
  end
  return concat(names, ", ")
end


function CORS.header_filter(_, conf)
  local response = kong.response
  response.clear_header("Access-Control-Allow-Origin")
  response.clear_header("Access-Control-Allow-Credentials")
  response.clear_header("Access-Control-Expose-Headers")
  local origin = allowed(conf, kong.request.get_header("Origin"))
  if origin ~= "*" then
    response.add_header("Vary", "Origin")
  end
  if not origin then
    return
  end
  local expose = exposed(conf)
  if expose then
    response.set_header("Access-Control-Expose-Headers", expose)
  end
  response.set_header("Access-Control-Allow-Origin", origin)
  if conf.credentials then
    response.set_header("Access-Control-Allow-Credentials", "true")
  end
end


return CORS
