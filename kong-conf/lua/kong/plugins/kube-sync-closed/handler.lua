-- Answers every request with an error while a plugin for all requests is unavailable. A bundled plugin for all
-- requests could not do that: on a route with a plugin of the same name, only the latter runs.
local kong = kong


local function close(_, conf)
  return kong.response.error(503, conf.message)
end


-- Before all plugins that may answer a request.
return { PRIORITY = 1000000, VERSION = "1.0.0", access = close, preread = close }
