-- The path that takes the place of a request's. Of Kong's internals it uses the function
-- that makes the path which the router compares; without it the plugin does not load.
local normalize = require("kong.tools.uri").normalize

local sub = string.sub
local byte = string.byte
local SLASH = byte("/")

local function trimmed(path)
  local last = #path
  while last > 0 and byte(path, last) == SLASH do
    last = last - 1
  end
  return sub(path, 1, last)
end

-- The path with what the route matched of it replaced; by whole elements, so that a
-- slash at the end of prefix or replacement has no meaning. The path is normalized, as it
-- is in the router, and so the prefix has to be: it may be spelled in several ways.
return function(conf, path)
  if conf.full then
    return conf.full
  end
  local prefix = trimmed(normalize(conf.prefix, true))
  local rest = sub(path, #prefix + 1)
  local result = trimmed(conf.replacement or "") .. rest
  if byte(result) ~= SLASH then
    result = "/" .. result
  end
  return result
end
