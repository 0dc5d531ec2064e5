-- Does in the worker what filters of Gateway API ask for and no bundled plugin does
-- exactly, or only by templates. It is on no route that does not ask for it.
local escape = require("kong.tools.uri").escape

local random = math.random
local sub = string.sub
local byte = string.byte
local SLASH = byte("/")
local kong = kong

local Filters = {
  -- After authentication and limits, as the bundled plugin redirect.
  PRIORITY = 779,
  VERSION = "0.1.0",
}

local default_ports = { http = 80, https = 443 }

local function trimmed(path)
  local last = #path
  while last > 0 and byte(path, last) == SLASH do
    last = last - 1
  end
  return sub(path, 1, last)
end

-- The path with what the route matched of it replaced; by whole elements, so that a
-- slash at the end of prefix or replacement has no meaning.
local function replaced(conf, path)
  if conf.full then
    return conf.full
  end
  local prefix = trimmed(conf.prefix)
  local rest = sub(path, #prefix + 1)
  local result = trimmed(conf.replacement or "") .. rest
  if byte(result) ~= SLASH then
    result = "/" .. result
  end
  return result
end

local function redirect(conf)
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

-- One of the backends that cannot answer is drawn as often as its weight has it.
local function fail(shares, total)
  local drawn = random(total)
  for i = 1, #shares do
    local share = shares[i]
    if drawn <= share.weight then
      return kong.response.exit(share.status, { message = "no backend is available" })
    end
    drawn = drawn - share.weight
  end
end

local function change(conf, set, add, clear)
  for _, header in ipairs(conf.set or {}) do
    set(header.name, header.value)
  end
  for _, header in ipairs(conf.add or {}) do
    add(header.name, header.value)
  end
  for _, name in ipairs(conf.remove or {}) do
    clear(name)
  end
end

function Filters.access(_, conf)
  if conf.redirect then
    return redirect(conf.redirect)
  end
  if conf.fail then
    fail(conf.fail, conf.total)
  end
  local service = kong.service.request
  if conf.request then
    change(conf.request, service.set_header, service.add_header, service.clear_header)
  end
  local rewrite = conf.rewrite
  if rewrite and rewrite.path then
    service.set_path(replaced(rewrite.path, kong.request.get_path()))
  end
  if rewrite and rewrite.host then
    service.set_header("host", rewrite.host)
  end
end

function Filters.header_filter(_, conf)
  if conf.response then
    change(conf.response, kong.response.set_header, kong.response.add_header, kong.response.clear_header)
  end
end

return Filters
