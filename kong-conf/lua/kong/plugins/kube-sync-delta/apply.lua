-- Applies a delta: it checks the whole delta, then commits it in one LMDB transaction with the new hash
-- and the plan for the workers. Only the transaction takes the lock: Kong's schemas may take long
-- to validate a delta, and other changes do not wait meanwhile.
local check = require "kong.plugins.kube-sync-delta.check"
local complete = require "kong.plugins.kube-sync-delta.complete"
local crash_recovery = require "kong.plugins.kube-sync-delta.crash_recovery"
local index_keys = require "kong.plugins.kube-sync-delta.index_keys"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local journal = require "kong.plugins.kube-sync-delta.journal"
local lock = require "kong.plugins.kube-sync-delta.lock"
local plan = require "kong.plugins.kube-sync-delta.plan"

local concurrency = internals.module("kong.concurrency")
local constants = internals.module("kong.constants")
local declarative = internals.module("kong.db.declarative")
local transaction = internals.module("resty.lmdb.transaction")


-- The lock of Kong's own full loads, so that neither sees half of the other.
local LOCK = { name = lock.name, timeout = 0, exptime = 60 }
local RETRY_AFTER = 10

-- LMDB's errors when something does not fit, and the messages of the answers. When only a part of a
-- page fits on a full disk, LMDB reports an error of the disk.
local DISK = "Configuration does not fit on the disk of Kong's LMDB database, or that cannot be written"
local NO_ROOM = {
  ["MDB_MAP_FULL"] = "Configuration does not fit in LMDB database, " ..
                     "consider raising the \"lmdb_map_size\" config for Kong",
  ["Input/output error"] = DISK,
  ["No space left on device"] = DISK,
}


local function commit(changes, base, hash)
  local txn = transaction.begin(512)
  local keys = index_keys.new(txn)

  -- Deletions come first, because a changed entity may have the unique value that another one had before.
  for _, former in ipairs({ changes.deletes, changes.old }) do
    for kind, entities in pairs(former) do
      for _, entity in pairs(entities) do
        keys:delete(kind, entity)
      end
    end
  end

  for kind, entities in pairs(changes.upserts) do
    for _, entity in pairs(entities) do
      keys:insert(kind, entity)
    end
  end

  txn:set(constants.DECLARATIVE_HASH_KEY, hash)
  journal.add(txn, base, plan.of(changes, hash))
  crash_recovery.note(txn, changes, base, hash)

  return txn:commit()
end


-- Returns the answer to a delta for another configuration, or nil.
local function conflict(delta)
  local current = declarative.get_current_hash() or constants.DECLARATIVE_EMPTY_CONFIG_HASH
  if delta.base ~= current then
    return { status = 409, body = { message = "Kong holds another configuration", hash = current } }
  end
end


local function store(delta, changes)
  local answer = conflict(delta)
  if answer then
    return answer
  end

  local ok, err = commit(changes, delta.base, delta.hash)
  if ok then
    return { status = 200, body = { hash = delta.hash } }
  end

  for words, message in pairs(NO_ROOM) do
    if tostring(err):find(words, 1, true) then
      return { status = 413, body = { message = message } }
    end
  end

  return nil, err
end


local function apply(delta)
  local answer = conflict(delta)
  if answer then
    return answer
  end

  local changes, refusal = check.changes(delta)
  if not changes then
    return { status = 400, body = refusal }
  end

  -- the hash is compared again: the checks hold only for the configuration that they read
  return concurrency.with_worker_mutex(LOCK, function()
    return store(delta, changes)
  end)
end


-- Returns the status, the body and the headers of the answer.
return function(delta)
  if ngx.worker.exiting() then
    return 503, { message = "Kong currently exiting" }
  end

  local ok, answer, err, ttl = pcall(apply, delta)
  if not ok then
    answer, err = nil, answer
  end

  if answer then
    return answer.status, answer.body
  end

  if err == "timeout" then
    return 429, { message = "Currently loading previous configuration" },
           { ["Retry-After"] = math.ceil(math.min(ttl or RETRY_AFTER, RETRY_AFTER)) }
  end

  local failure = complete.failure(err)
  kong.log.err("a delta could not be applied: ", failure)
  return 500, { message = failure }
end
