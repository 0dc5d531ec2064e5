-- A worker builds its plugins iterator and its router from LMDB while it starts, and other workers may commit
-- meanwhile. So this reads the hash before anything is built, and takeover.lua follows from there.
local effective = require "kong.plugins.kube-sync-delta.effective"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local constants = internals.module("kong.constants")
local declarative = internals.module("kong.db.declarative")


local _M = {}


-- Returns the hash of the configuration in LMDB.
function _M.current()
  return declarative.get_current_hash() or constants.DECLARATIVE_EMPTY_CONFIG_HASH
end


-- The former worker may have ended before it followed a change, and this one gets no event about that
-- change. The caches that all workers share may still hold older values.
local function clear_caches()
  for _, store in ipairs({ "core_cache", "cache" }) do
    local mlcache = kong[store].mlcache
    mlcache.dict:flush_all()
    if mlcache.dict_miss then
      mlcache.dict_miss:flush_all()
    end
  end

  -- without these versions, Kong builds the iterator and the router a second time
  kong.core_cache:safe_set("plugins_iterator:version", "init")
  kong.core_cache:safe_set("router:version", "init")
end


local function begin()
  if not _M.hash and ngx.worker.id() then
    _M.hash = _M.current()
    if effective.claim() then
      clear_caches()
    end
  end
end


-- Kong fails when it reads routes of one configuration and services of the next, and the worker answers 404 for
-- good. So a build that fails while the worker starts is repeated, until it fails on one configuration.
local function repeated(build)
  return function(...)
    if ngx.get_phase() ~= "init_worker" then
      return build(...)
    end

    begin()
    local hash, ok, err
    repeat
      local former = hash
      hash = _M.current()
      ok, err = build(...)
    until ok or hash == former

    return ok, err
  end
end


-- Runs when Kong loads its plugins, before there are workers.
function _M.init()
  for _, name in ipairs({ "build_plugins_iterator", "build_router", "update_router" }) do
    internals.replace("kong.runloop.handler", name, repeated)
  end
end


return _M
