-- Changes only the changed routes in the router of this worker, instead of building it from all routes.
-- Kong itself builds a router from the former one by changing single matchers. Here it gets the
-- changed routes as if they were all routes, so it changes their matchers in the whole router.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local constants = internals.module("kong.constants")
local handler = internals.module("kong.runloop.handler")


local GLOBAL = { workspace = ngx.null, show_ws_id = true }
local SUBSYSTEMS = constants.PROTOCOLS_WITH_SUBSYSTEM
local FLAVORS = {
  expressions = internals.module("kong.router.expressions"),
  traditional_compatible = internals.module("kong.router.compat"),
}


local _M = {}


local function is_ours(route)
  for _, protocol in ipairs(route.protocols) do
    if SUBSYSTEMS[protocol] == ngx.config.subsystem then
      return true
    end
  end
end


local function select(kind, key, cached)
  local entity = cached[key.id]
  if entity == nil then
    local err
    entity, err = kong.db[kind]:select(key, GLOBAL)
    assert(not err, err)
    cached[key.id] = entity or false
  end

  return entity
end


-- Returns what the router holds for a route, or nil.
local function entry(route, services)
  if not is_ours(route) then
    return
  end

  local service
  if route.service then
    service = assert(select("services", route.service, services))
    if SUBSYSTEMS[service.protocol] ~= ngx.config.subsystem then
      service = nil

    elseif service.enabled == false then
      return
    end
  end

  return { route = route, service = service }
end


-- Splits ids into those of routes in the router of this worker, and the others.
function _M.split(ids)
  local present, gone = {}, {}
  local services = {}
  for id in pairs(ids) do
    local route = select("routes", { id = id }, {})
    local held = route and entry(route, services)
    if held then
      present[id] = held

    else
      gone[id] = true
    end
  end

  return present, gone
end


local function edit(router, flavor, ids, entries)
  -- A request may match a new matcher before Kong's function returns. So its route and service are
  -- in the router from that moment on.
  local part = {
    router = router.router,
    updated_at = 0,
    rebuilding = false,
    routes = setmetatable({}, {
      __newindex = function(routes, id, route)
        rawset(routes, id, route)
        router.routes[id] = router.routes[id] or route
      end,
    }),
    services = setmetatable({}, {
      __newindex = function(_, id, service)
        router.services[id] = service
      end,
    }),
  }

  -- the traditional router splits a route whose paths differ into several
  local former = {}
  for id, route in pairs(router.routes) do
    if ids[(route.original_route or route).id] then
      rawset(part.routes, id, route)
      former[#former + 1] = id
    end
  end

  if not former[1] and not entries[1] then
    return
  end

  assert(flavor.new(entries, router.cache, router.cache_neg, part))

  for _, id in ipairs(former) do
    if not part.routes[id] then
      router.routes[id], router.services[id] = nil, nil
    end
  end
  for id, route in pairs(part.routes) do
    router.routes[id] = route
  end

  router.fields = part.fields
  router.updated_at = math.max(router.updated_at, part.updated_at)
  router.cache:flush_all()
  router.cache_neg:flush_all()
end


local function change(ids, entries)
  if next(ids) == nil then
    return
  end

  local router = handler._get_updated_router()
  local flavor = FLAVORS[kong.configuration.router_flavor]
  if flavor and router.router and router.routes and router.services and router.fields and not router.rebuilding then
    edit(router, flavor, ids, entries)

  else
    assert(handler.build_router())
  end
end


function _M.add(present)
  local entries = {}
  for _, held in pairs(present) do
    entries[#entries + 1] = held
  end

  change(present, entries)
end


function _M.remove(gone)
  change(gone, {})
end


return _M
