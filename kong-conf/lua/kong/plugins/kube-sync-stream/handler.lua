-- Closes the share of a route's connections, and drops the share of its datagrams, that belongs to invalid
-- backends. The plugin is only on routes with invalid backends.
local random = math.random
local kong = kong

local Stream = {
  -- After the bundled plugins that restrict access.
  PRIORITY = 779,
  VERSION = "1.0.0",
}


function Stream.preread(_, conf)
  if random(conf.total) <= conf.closed then
    return kong.response.exit(503)
  end
end


return Stream
