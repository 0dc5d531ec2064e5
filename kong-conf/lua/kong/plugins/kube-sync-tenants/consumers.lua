-- Consumers are the whole gateway's in Kong, and so are their plugins, which come before
-- those of a route. Here they are for routes of their own namespace and those that grant it.
local iterators = require "kong.plugins.kube-sync-tenants.iterators"
local permitted = require "kong.plugins.kube-sync-tenants.namespaces"

local ngx = ngx
local pairs = pairs
local rawget = rawget
local setmetatable = setmetatable
local type = type

local _M = {}

local NAME = "kube-sync-tenants"
local GLOBAL = iterators.GLOBAL
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


-- Returns what is wrong with this Kong, or nil.
function _M.problem()
  local client = kong.client
  if type(client) ~= "table" or type(client.authenticate) ~= "function" then
    return "Kong's consumers are not where they were"
  end

  return iterators.problem()
end


local isolated = false


function _M.limit()
  iterators.watch(function(iterator)
    local own = iterators.configurations(iterator, NAME)
    local conf = own and own[GLOBAL]
    isolated = conf ~= nil and conf.isolated
    if not conf then
      return
    end

    for _, data in pairs(iterator.ws) do
      for name, combos in pairs(data.combos) do
        guard(name, combos)
      end
    end
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
