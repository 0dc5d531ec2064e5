-- The path that takes the place of a request's.
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
-- slash at the end of prefix or replacement has no meaning.
return function(conf, path)
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
