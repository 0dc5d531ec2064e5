-- Reads the plugins of a worker again.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")


-- The function that makes Kong's own iterators. Plugins that watch iterators replace it, such as
-- kube-sync-tenants, so that it is read each time.
local NEW = "update_plugins_iterator>build_plugins_iterator>new_plugins_iterator>PluginsIterator_new"


local _M = {}


-- Reads all plugins, which is slow, and returns a function that activates them at once. Kong's own function
-- does both; requests would meanwhile meet changed routes with the old plugins, or no route.
function _M.read()
  local iterator = assert(internals.get("kong.runloop.handler", NEW)())
  iterator:configure()

  return function()
    internals.replace("kong.runloop.handler", "get_plugins_iterator>PLUGINS_ITERATOR", function()
      return iterator
    end)
  end
end


return _M
