-- Answers in the place of everything while a plugin for all requests is not to be had. A
-- bundled plugin would give way to one of its name on a route; this one is on none.
local kong = kong

local function close(_, conf)
  return kong.response.error(503, conf.message)
end

-- Before all plugins that could answer by themselves.
return { PRIORITY = 1000000, VERSION = "0.1.0", access = close, preread = close }
