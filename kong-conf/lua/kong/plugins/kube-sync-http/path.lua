-- Rewrites the path of a request.
local internals = require("kong.kube_sync.internals").of("kube-sync-http/filters")

local sub = string.sub
local byte = string.byte
local SLASH = byte("/")

internals.assert()

-- The router compares paths that this function has normalized.
local normalize = internals.module("kong.tools.uri").normalize


local function trimmed(path)
  local last = #path
  while last > 0 and byte(path, last) == SLASH do
    last = last - 1
  end
  return sub(path, 1, last)
end


-- Returns the path with its prefix replaced, by whole path elements: a slash at the end of the prefix or of
-- the replacement has no effect. Kong has normalized the path, so the prefix is normalized, too.
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
