-- Consumers are the whole gateway's in Kong, and so are their plugins, which come before
-- those of a route. Here they are for routes of their own namespace and those that grant it.
--
-- Of Kong it takes what kong.runloop.plugins_iterator.new returns: at ws[id].combos[plugin]
-- the configurations of a plugin, keyed "route:service:consumer", each part an id or empty.
-- That function is in an upvalue of kong.runloop.handler, which calls it for every change.
local permitted = require "kong.plugins.kube-sync-tenants.namespaces"
local upvalue = require "kong.plugins.kube-sync-tenants.upvalue"

local ngx = ngx
local debug = debug
local pairs = pairs
local rawget = rawget
local setmetatable = setmetatable
local type = type

local _M = {}

local NAME = "kube-sync-tenants"
local GLOBAL = "::"
local OF_CONSUMER = "^::(.+)$"


-- Plugins that can only keep requests from going on, so that a consumer's may stand on any
-- route where there is no other of the kind. One that echoes requests tells what others
-- added to them.
local RESTRICTING = {
  ["ai-prompt-guard"] = true,
  ["ip-restriction"] = true,
  ["rate-limiting"] = true,
  ["request-size-limiting"] = true,
  ["request-termination"] = true,
  ["response-ratelimiting"] = true,
}


local function others(combos, ctx)
  local route, service = ctx.route and ctx.route.id or "", ctx.service and ctx.service.id or ""
  return rawget(combos, route .. ":" .. service .. ":") or rawget(combos, route .. "::")
         or rawget(combos, ":" .. service .. ":") or rawget(combos, GLOBAL)
end


-- Puts the configurations for consumers alone behind a question, where Kong finds them only
-- if the request's route is for the consumer.
local function guard(name, combos)
  local guarded
  for key, cfg in pairs(combos) do
    if key:match(OF_CONSUMER) then
      guarded = guarded or {}
      guarded[key] = cfg
    end
  end

  if not guarded then
    return
  end

  for key in pairs(guarded) do
    combos[key] = nil
  end

  setmetatable(combos, { __index = function(_, key)
    local cfg = guarded[key]
    if not cfg then
      return nil
    end

    local ctx = ngx.ctx
    if permitted(ctx.route, ctx.authenticated_consumer) then
      return cfg
    end

    if RESTRICTING[name] and not cfg.echo and not others(combos, ctx) then
      return cfg
    end
  end })
end


-- The plugin's configuration in an iterator; nil if the plugin is not there.
local function configuration(iterator)
  for _, data in pairs(iterator.ws) do
    local combos = data.combos[NAME]
    if combos and combos[GLOBAL] then
      return combos[GLOBAL]
    end
  end
end


-- The function of Kong that has the one that makes iterators in an upvalue, or nil.
local function maker()
  local handler = package.loaded["kong.runloop.handler"]
  local build = type(handler) == "table" and handler.build_plugins_iterator
  return type(build) == "function" and (upvalue(build, "new_plugins_iterator")) or nil
end


-- What is wrong with this Kong, or nil.
function _M.problem()
  local client, make = kong.client, maker()
  if type(client) ~= "table" or type(client.authenticate) ~= "function" then
    return "Kong's consumers are not where they were"
  end

  if type(make) ~= "function" or type(upvalue(make, "PluginsIterator_new")) ~= "function" then
    return "Kong's plugins are not where they were"
  end

  local key = require("kong.runloop.plugins_iterator").build_compound_key
  if type(key) ~= "function" or key("r", "s", "c") ~= "r:s:c" or key(nil, nil, "c") ~= "::c" then
    return "Kong looks plugins up by other keys"
  end
end


local isolated = false


function _M.limit()
  local make = maker()
  local new, at = upvalue(make, "PluginsIterator_new")

  debug.setupvalue(make, at, function(...)
    local iterator, err = new(...)
    if not iterator then
      return iterator, err
    end

    local conf = configuration(iterator)
    isolated = conf ~= nil and conf.isolated
    if conf then
      for _, data in pairs(iterator.ws) do
        for name, combos in pairs(data.combos) do
          guard(name, combos)
        end
      end
    end

    return iterator
  end)

  -- All plugins that authenticate call this. In an isolated gateway a consumer that is not
  -- for the route is unknown.
  local authenticate = kong.client.authenticate

  function kong.client.authenticate(consumer, credential)
    if isolated and consumer and not permitted(ngx.ctx.route, consumer) then
      return kong.response.error(401, "Unauthorized")
    end

    return authenticate(consumer, credential)
  end
end


return _M
