-- Kong looks plugins up in an iterator that each worker makes anew after changes. Of Kong it
-- takes the function kong.runloop.plugins_iterator.new, which is in an upvalue of
-- kong.runloop.handler, and what it returns: at ws[id].combos[plugin] the configurations of a
-- plugin, keyed "route:service:consumer", each part an id or empty.
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"

local debug = debug
local pairs = pairs
local type = type

local _M = {
  -- The key of a plugin for all requests.
  GLOBAL = "::",
}


-- The function of Kong that has the one that makes iterators in an upvalue, or nil. The way to
-- it is through a function that no other plugin replaces.
local function maker()
  local handler = package.loaded["kong.runloop.handler"]
  local update = type(handler) == "table" and handler.update_plugins_iterator
  local build = type(update) == "function" and upvalue(update, "build_plugins_iterator")
  return type(build) == "function" and (upvalue(build, "new_plugins_iterator")) or nil
end


-- Returns what is wrong with this Kong, or nil.
function _M.problem()
  local make = maker()
  if type(make) ~= "function" or type(upvalue(make, "PluginsIterator_new")) ~= "function" then
    return "Kong's plugins are not where they were"
  end

  local key = require("kong.runloop.plugins_iterator").build_compound_key
  if type(key) ~= "function" or key("r", "s", "c") ~= "r:s:c" or key(nil, nil, "c") ~= "::c" or key() ~= _M.GLOBAL then
    return "Kong looks plugins up by other keys"
  end
end


-- Calls a function with each new iterator before it is used.
function _M.watch(fn)
  local make = maker()
  local new, at = upvalue(make, "PluginsIterator_new")

  debug.setupvalue(make, at, function(...)
    local iterator, err = new(...)
    if iterator then
      fn(iterator)
    end

    return iterator, err
  end)
end


-- The configurations of a plugin by their keys, in all workspaces of an iterator: of Kong's
-- open source edition there is one. Nil if the plugin is nowhere.
function _M.configurations(iterator, name)
  for _, data in pairs(iterator.ws) do
    if data.combos[name] then
      return data.combos[name]
    end
  end
end


return _M
