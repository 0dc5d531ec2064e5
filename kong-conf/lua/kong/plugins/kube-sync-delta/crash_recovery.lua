-- When a worker crashes over a configuration, the next worker reads the same configuration and crashes,
-- too. So each worker notes which configuration it is taking over. If the worker before it crashed over
-- the one that Kong holds, it takes the last delta back. If there is no delta and several workers
-- crashed, it starts with an empty configuration. kube-sync sees that, and sends the configuration
-- without the objects that caused the crash.
local buffer = require "string.buffer"
local index_keys = require "kong.plugins.kube-sync-delta.index_keys"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local lock = require "kong.plugins.kube-sync-delta.lock"

local concurrency = internals.module("kong.concurrency")
local constants = internals.module("kong.constants")
local declarative = internals.module("kong.db.declarative")
local lmdb = internals.module("resty.lmdb")
local transaction = internals.module("resty.lmdb.transaction")


-- In LMDB: the changes that take a delta back, by the hash of the delta, and the last such hashes.
local UNDO = "kube-sync-delta|undo|"
local LIST = "kube-sync-delta|undos"
local KEPT = 8

-- In shared memory.
local TAKING = "kube-sync-delta:taking:"
local ENDS = "kube-sync-delta:ends:"
local LOCK = { name = lock.name, timeout = 0, exptime = 60 }

-- At most this many workers may crash over a full load, within this many seconds.
local MOST_ENDS, SECONDS = 5, 120


local _M = {}


local function read(key)
  local value = lmdb.get(key)
  return value and buffer.decode(value)
end


local function each(lists, fn)
  for _, list in ipairs(lists) do
    for kind, entities in pairs(list) do
      for _, entity in pairs(entities) do
        fn(kind, entity)
      end
    end
  end
end


-- Adds to a transaction the changes that take the delta back, unless the delta is empty.
function _M.note(txn, changes, base, hash)
  local some
  each({ changes.upserts, changes.deletes }, function()
    some = true
  end)
  if not some then
    return
  end

  local hashes = read(LIST) or {}
  for i = #hashes, 1, -1 do
    if hashes[i] == hash then
      table.remove(hashes, i)
    end
  end

  hashes[#hashes + 1] = hash
  if #hashes > KEPT then
    local old = UNDO .. table.remove(hashes, 1)
    if lmdb.get(old) then
      txn:set(old, nil)
    end
  end

  txn:set(LIST, buffer.encode(hashes))
  txn:set(UNDO .. hash, buffer.encode({
    base = base, remove = { changes.upserts }, restore = { changes.deletes, changes.old },
  }))
end


local function take_back(hash)
  local undo = read(UNDO .. hash)
  if not undo or declarative.get_current_hash() ~= hash then
    return
  end

  local txn = transaction.begin(512)
  local keys = index_keys.new(txn)
  each(undo.remove, function(kind, entity) keys:delete(kind, entity) end)
  each(undo.restore, function(kind, entity) keys:insert(kind, entity) end)
  txn:set(constants.DECLARATIVE_HASH_KEY, undo.base)
  txn:set(UNDO .. hash, nil)
  assert(txn:commit())
  kong.log.crit("a worker crashed over the last change of the configuration, which is taken back")

  return true
end


local function empty()
  local entities, _, _, meta = kong.db.declarative_config:parse_table({ _format_version = "3.0" })
  assert(declarative.load_into_cache(assert(entities), meta))
  kong.log.crit("several workers crashed over the configuration; Kong starts with an empty one")

  return true
end


local function give_up(hash)
  if take_back(hash) then
    return true
  end

  if ngx.shared.kong:incr(ENDS .. hash, 1, 0, SECONDS) > MOST_ENDS then
    return empty()
  end
end


local function key()
  return TAKING .. ngx.worker.id()
end


function _M.begin(hash)
  ngx.shared.kong:set(key(), ngx.worker.pid() .. " " .. hash)
end


-- Notes that the takeover is done. The worker may still be taking over the configuration with the hash.
function _M.done(hash)
  _M.begin(hash or "")
end


-- Returns the hash over which the worker before this one crashed, or nil. After a reload the former worker
-- goes on beside this one.
local function crashed_over()
  local pid, hash = (ngx.shared.kong:get(key()) or ""):match("^(%d+) (%x+)$")
  return pid and lock.ended(pid) and hash
end


-- Runs before a worker builds anything from the configuration that Kong holds.
local function start()
  local hash = ngx.worker.id() and declarative.get_current_hash()
  if not hash then
    return
  end

  if crashed_over() == hash then
    local _, err = concurrency.with_worker_mutex(LOCK, function()
      return give_up(hash)
    end)
    if err then
      kong.log.err("the configuration over which a worker crashed stays: ", err)
    end
  end

  _M.begin(declarative.get_current_hash())
end


-- Runs when Kong loads its plugins, before there are workers.
function _M.init()
  internals.replace("kong.runloop.handler", "build_plugins_iterator", function(build_plugins_iterator)
    return function(...)
      if start then
        local first = start
        start = nil
        local ok, err = pcall(first)
        if not ok then
          kong.log.err("it is unknown whether a worker crashed over the configuration: ", err)
        end
      end

      return build_plugins_iterator(...)
    end
  end)
end


return _M
