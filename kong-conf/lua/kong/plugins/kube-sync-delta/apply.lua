-- Applies a delta: checked as a whole, then committed in one LMDB transaction together
-- with the new hash and the plan for the workers. The lock is taken for the latter alone:
-- however long Kong's schemas take over what is in a delta, others are not locked out.
local check = require "kong.plugins.kube-sync-delta.check"
local complete = require "kong.plugins.kube-sync-delta.complete"
local concurrency = require "kong.concurrency"
local constants = require "kong.constants"
local declarative = require "kong.db.declarative"
local index_keys = require "kong.plugins.kube-sync-delta.index_keys"
local journal = require "kong.plugins.kube-sync-delta.journal"
local lock = require "kong.plugins.kube-sync-delta.lock"
local plan = require "kong.plugins.kube-sync-delta.plan"
local transaction = require "resty.lmdb.transaction"
local trial = require "kong.plugins.kube-sync-delta.trial"


-- The lock of Kong's own full loads, so that neither sees the other's half.
local LOCK = { name = lock.name, timeout = 0, exptime = 60 }
local RETRY_AFTER = 10

-- What LMDB says when something does not fit, and what is answered. It takes part of a page
-- that a full disk did not take for an error of the disk.
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

  -- all index keys of what was there go first: what one entity gives up, another may take
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
  trial.note(txn, changes, base, hash)

  return txn:commit()
end


-- The answer to a delta that is for another configuration, if it is.
local function conflict(delta)
  local current = declarative.get_current_hash() or constants.DECLARATIVE_EMPTY_CONFIG_HASH
  if delta.base ~= current then
    return { status = 409, body = { message = "the configuration is another one", hash = current } }
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

  -- the configuration is looked at again: what was found holds for that one alone
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
