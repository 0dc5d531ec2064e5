-- What the companion needs of Kong and is no public interface of it. All of it is looked
-- at when a worker starts, so that a Kong of another make is told (501) and not broken.
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"


local _M = {}


local VERSION = "^3%.9%."

local FUNCTIONS = {
  ["kong.db.declarative"] = {
    "get_current_hash", "insert_entity_for_txn", "delete_entity_for_txn", "load_into_cache",
    "item_key", "unique_field_key", "foreign_field_key_prefix",
  },
  ["kong.db.declarative.marshaller"] = { "unmarshall" },
  ["kong.db.schema.others.declarative_config"] = { "pk_string" },
  ["kong.concurrency"] = { "with_worker_mutex" },
  ["kong.tools.stream_api"] = { "request" },
  ["kong.runloop.handler"] = {
    "_get_updated_router", "build_router", "build_plugins_iterator", "get_plugins_iterator",
  },
  ["kong.runloop.certificate"] = { "produce_wild_snis", "ca_ids_cache_key" },
  ["kong.runloop.balancer"] = { "init" },
  ["kong.runloop.balancer.upstreams"] = {
    "init", "get_all_upstreams", "get_upstream_by_id", "get_upstream_by_name", "update_balancer_state",
  },
  ["kong.runloop.balancer.balancers"] = {
    "init", "get_balancer_by_id", "set_balancer", "create_balancer",
  },
  ["kong.runloop.balancer.healthcheckers"] = { "init", "stop_healthchecker" },
  ["kong.runloop.balancer.targets"] = {
    "init", "fetch_targets", "clean_targets_cache", "resolve_targets", "on_target_event",
  },
  ["kong.tools.table"] = { "cycle_aware_deep_copy" },
  ["resty.lmdb"] = { "get" },
  ["resty.lmdb.prefix"] = { "page" },
  ["resty.lmdb.transaction"] = { "begin" },
}


-- All balancers of this worker by upstream: Kong lists them nowhere, and those of
-- removed upstreams are found in no other way.
function _M.balancers()
  return upvalue(require("kong.runloop.balancer.balancers").get_balancer_by_id, "balancers_by_id")
end


-- The upstreams for which balancers are being created.
function _M.creating()
  return upvalue(require("kong.runloop.balancer.balancers").create_balancer, "creating")
end


-- When names of targets are resolved anew. Kong replaces it at each full load, so it is
-- not to be kept; it never forgets the targets that are gone, addresses least of all.
function _M.renewals()
  return upvalue(require("kong.runloop.balancer.targets").on_target_event, "renewal_heap")
end


-- What Kong calls with the endpoint that it has chosen, and with options that name the
-- pool of its connections. It is replaced if there is another one.
function _M.peer(replacement)
  local balancer = require("kong").balancer
  local peer, i = upvalue(balancer, "set_current_peer")
  if replacement then
    debug.setupvalue(balancer, i, replacement)
  end

  return peer
end


local function callbacks()
  local events = upvalue(require("resty.events.compat").post, "ev")
  return events and events.worker and events.worker._callback
end


-- The library of events keeps the name of a source and the numbers of its callbacks when
-- these are no more, and each upstream with health checks is a source of its own.
function _M.forget_callbacks(source)
  local known = callbacks()
  local sources = known._callbacks
  for event, numbers in pairs(sources[source] or {}) do
    for number in pairs(numbers) do
      if not known._funcs[number] then
        numbers[number] = nil
      end
    end
    if next(numbers) == nil then
      sources[source][event] = nil
    end
  end

  if sources[source] and next(sources[source]) == nil then
    sources[source] = nil
  end
end


-- Whether Kong is a version at which its insides are known.
function _M.is_version()
  return tostring(kong.version):find(VERSION) ~= nil and kong.db.strategy == "off"
end


local function look()
  if not tostring(kong.version):find(VERSION) then
    return "Kong " .. tostring(kong.version) .. " is not 3.9"
  end

  if kong.db.strategy ~= "off" then
    return "Kong has a database"
  end

  for module, names in pairs(FUNCTIONS) do
    local ok, loaded = pcall(require, module)
    if not ok then
      return "module " .. module .. " does not load: " .. tostring(loaded)
    end

    for _, name in ipairs(names) do
      if type(loaded[name]) ~= "function" then
        return "module " .. module .. " has no function " .. name
      end
    end
  end

  if not ngx.shared.kong_locks then
    return "locks are not kept where they were"
  end

  for _, store in ipairs({ "core_cache", "cache" }) do
    local mlcache = kong[store] and kong[store].mlcache
    if not (mlcache and mlcache.name and mlcache.dict and mlcache.lru) then
      return store .. " is not what it was"
    end
  end

  if type(_M.balancers()) ~= "table" or type(_M.creating()) ~= "table" or type(_M.renewals()) ~= "table" then
    return "balancers are not kept where they were"
  end

  if ngx.config.subsystem == "http" and type(_M.peer()) ~= "function" then
    return "endpoints are not chosen as they were"
  end

  local known = callbacks()
  if not (known and known._callbacks and known._funcs) then
    return "callbacks of events are not kept where they were"
  end

  if type(kong.db.declarative_config) ~= "table" or type(kong.db.declarative_config.parse_table) ~= "function" then
    return "there is no schema of declarative configurations"
  end
end


local looked, found


-- Why this Kong is not one to work on, or nil.
function _M.problem()
  if not looked then
    looked, found = true, look()
  end

  return found
end


return _M
