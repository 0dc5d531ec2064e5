-- Computes what workers have to do for a delta: the ids that routers and balancers read again from
-- LMDB, and the cache entries to drop.
local check = require "kong.plugins.kube-sync-delta.check"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local certificate = internals.module("kong.runloop.certificate")
local constants = internals.module("kong.constants")


local null = ngx.null


local _M = {}


-- Changes of these kinds are rare and reach far: every worker does what it does after a full load.
local FULL = { workspaces = true, filter_chains = true }


-- Kong caches a store of certificate authorities under a digest of all their ids. So this visits all
-- users of such stores, which takes long and is rare.
local function authority_keys(id, drop)
  for _, kind in ipairs({ "services", "plugins" }) do
    for entity in kong.db[kind]:each(1000, { workspace = null }) do
      local ids = entity.ca_certificates or entity.config and entity.config.ca_certificates
      if type(ids) == "table" and table.concat(ids, " "):find(id, 1, true) then
        drop(kind == "services" and "core_cache" or "cache", certificate.ca_ids_cache_key(ids))
      end
    end
  end
end


local kinds = {}


function kinds.targets(plan, _, entity)
  plan.targets[entity.upstream.id] = true
end


function kinds.upstreams(plan, id)
  plan.upstreams[id] = true
end


function kinds.routes(plan, id)
  plan.routes[id] = true
end


function kinds.services(plan, id)
  for _, route in ipairs(check.referrers("routes", "service", id)) do
    plan.routes[route] = true
  end
end


function kinds.plugins(plan)
  plan.plugins = true
end


function kinds.snis(_, _, entity, drop)
  local front, back = certificate.produce_wild_snis(entity.name)
  drop("core_cache", "snis:" .. entity.name)
  drop("core_cache", front and "snis:" .. front)
  drop("core_cache", back and "snis:" .. back)
end


-- Health checks and pooled connections keep the client certificate that they were made with.
function kinds.certificates(plan, id, _, drop)
  drop("core_cache", kong.db.certificates:cache_key(id))
  plan.pools = plan.pools or check.referrers("services", "client_certificate", id)[1] ~= nil
  for _, upstream in ipairs(check.referrers("upstreams", "client_certificate", id)) do
    plan.upstreams[upstream] = true
  end
end


function kinds.ca_certificates(plan, id, _, drop)
  authority_keys(id, drop)
  plan.pools = true
end


function kinds.vaults(plan)
  plan.vaults = true
end


-- Kong caches consumers by id, and by name where the field `anonymous` of a plugin holds the name.
function kinds.consumers(_, id, entity, drop)
  drop("cache", kong.db.consumers:cache_key(id))
  if type(entity.username) == "string" then
    drop("cache", kong.db.consumers:cache_key(entity.username))
  end
end


-- The groups of a consumer are cached together.
function kinds.acls(_, _, entity, drop)
  drop("cache", kong.db.acls:cache_key(entity.consumer.id))
end


-- Credentials and the other kinds of plugins.
local function other(kind, id, entity, drop)
  local store = constants.ENTITY_CACHE_STORE[kind]
  drop(store, kong.db[kind]:cache_key(entity))
  drop(store, kong.db[kind]:cache_key(id))
end


function _M.of(changes, hash)
  local plan = { hash = hash, routes = {}, upstreams = {}, targets = {}, keys = { cache = {}, core_cache = {} } }

  local function drop(store, key)
    if key then
      plan.keys[store][key] = true
    end
  end

  local function add(kind, entities)
    for id, entity in pairs(entities) do
      plan.full = plan.full or FULL[kind]
      if kinds[kind] then
        kinds[kind](plan, id, entity, drop)

      else
        other(kind, id, entity, drop)
      end
    end
  end

  for kind in pairs(changes.upserts) do
    add(kind, changes.upserts[kind])
    add(kind, changes.old[kind])
    add(kind, changes.deletes[kind])
  end

  return plan
end


return _M
