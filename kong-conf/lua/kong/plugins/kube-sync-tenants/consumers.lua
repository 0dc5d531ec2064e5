-- In Kong, consumers belong to the whole gateway, and their plugins take precedence over those of a route.
-- Here a consumer is accepted only on routes of its own namespace, and of namespaces that grant it.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/consumers")
local iterators = require "kong.plugins.kube-sync-tenants.iterators"
local permitted = require "kong.plugins.kube-sync-tenants.consumer_grants"

local ngx = ngx
local pairs = pairs
local rawget = rawget
local setmetatable = setmetatable

local _M = {}

local NAME = "kube-sync-tenants"
local GLOBAL = iterators.GLOBAL
local OF_CONSUMER = "^::(.+)$"


-- Plugins that can only refuse requests. Those of a consumer also run on routes that are not for it, if the
-- route has no plugin of the same name. An echoing plugin does not: it reveals what other plugins added.
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


-- Moves the configurations that are only for consumers to a metatable, where Kong finds them only if the
-- request's route is for the consumer.
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


-- Returns what is wrong with this Kong, or nil.
function _M.problem()
  return internals.problem() or iterators.problem()
end


local isolated = false


function _M.install()
  iterators.watch(function(iterator)
    local own = iterators.configurations(iterator, NAME)
    local conf = own and own[GLOBAL]
    isolated = conf ~= nil and conf.isolated
    if not conf then
      return
    end

    for _, workspace in pairs(iterator.ws) do
      for name, combos in pairs(workspace.combos) do
        guard(name, combos)
      end
    end
  end)

  -- All plugins that authenticate call this. In an isolated gateway, a consumer that is not for the
  -- route is unauthorized.
  internals.replace("PDK", "client.authenticate", function(authenticate)
    return function(consumer, credential)
      if isolated and consumer and not permitted(ngx.ctx.route, consumer) then
        return kong.response.error(401, "Unauthorized")
      end

      return authenticate(consumer, credential)
    end
  end)
end


return _M
