-- Answers every request with an error while a plugin for all requests is unavailable. On a route with a
-- bundled plugin of the same name, that one would run instead; this plugin is on no route.
local kong = kong


local function close(_, conf)
  return kong.response.error(503, conf.message)
end


-- Before all plugins that may answer a request.
return { PRIORITY = 1000000, VERSION = "1.0.0", access = close, preread = close }
