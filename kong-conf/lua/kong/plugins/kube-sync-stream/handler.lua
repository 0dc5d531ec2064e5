-- Closes the share of a route's connections, and drops that of its datagrams, which is for
-- backends that are not there. It is on no route that has all of its backends.
local random = math.random
local kong = kong

local Stream = {
  -- After the bundled plugins that restrict.
  PRIORITY = 779,
  VERSION = "0.1.0",
}

function Stream.preread(_, conf)
  if random(conf.total) <= conf.closed then
    return kong.response.exit(503)
  end
end

return Stream
