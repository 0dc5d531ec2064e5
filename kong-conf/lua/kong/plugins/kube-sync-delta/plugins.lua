-- Reads the plugins of a worker again.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local iterators = internals.module("kong.runloop.plugins_iterator")


local _M = {}


-- Reads all plugins, which is slow, and returns a function that activates them at once. Kong's own function
-- does both; requests would meanwhile meet changed routes with the old plugins, or no route.
function _M.read()
  local iterator = assert(iterators.new())
  iterator:configure()

  return function()
    internals.replace("kong.runloop.handler", "get_plugins_iterator>PLUGINS_ITERATOR", function()
      return iterator
    end)
  end
end


return _M
