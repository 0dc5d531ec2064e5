-- Kong looks plugins up in an iterator that each worker makes again after changes. At ws[id].combos[plugin] it
-- holds the configurations of a plugin by keys "route:service:consumer", each part an id or empty.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/consumers")

local pairs = pairs

local _M = {
  -- The key of a plugin for all requests.
  GLOBAL = "::",
}


-- The function that makes iterators, for Kong and for kube-sync-delta. No other plugin replaces a function on
-- this path.
local NEW = "update_plugins_iterator>build_plugins_iterator>new_plugins_iterator>PluginsIterator_new"


-- Returns what is wrong with this Kong, or nil.
function _M.problem()
  local problem = internals.problem()
  if problem then
    return problem
  end

  local key = internals.module("kong.runloop.plugins_iterator").build_compound_key
  if key("r", "s", "c") ~= "r:s:c" or key(nil, nil, "c") ~= "::c" or key() ~= _M.GLOBAL then
    return "Kong looks plugins up by other keys"
  end
end


-- Calls a function with each new iterator before it is used.
function _M.watch(fn)
  internals.replace("kong.runloop.handler", NEW, function(new)
    return function(...)
      local iterator, err = new(...)
      if iterator then
        fn(iterator)
      end

      return iterator, err
    end
  end)
end


-- Returns the configurations of a plugin by their keys, or nil if the iterator has none. Kong's open source
-- edition has one workspace.
function _M.configurations(iterator, name)
  for _, workspace in pairs(iterator.ws) do
    if workspace.combos[name] then
      return workspace.combos[name]
    end
  end
end


return _M
