-- Applies a delta: checked as a whole, then committed in one LMDB transaction together
-- with the new hash and the plan for the workers.
local check = require "kong.plugins.kube-sync-delta.check"
local concurrency = require "kong.concurrency"
local constants = require "kong.constants"
local declarative = require "kong.db.declarative"
local journal = require "kong.plugins.kube-sync-delta.journal"
local plan = require "kong.plugins.kube-sync-delta.plan"
local transaction = require "resty.lmdb.transaction"


-- The lock of Kong's own full loads, so that neither sees the other's half.
local LOCK = { name = "declarative:lock", timeout = 0, exptime = 60 }
local RETRY_AFTER = 10


local function commit(changes, base, hash)
  local txn = transaction.begin(512)

  -- all index keys of what was there go first: what one entity gives up, another may take
  for _, former in ipairs({ changes.deletes, changes.old }) do
    for kind, entities in pairs(former) do
      for _, entity in pairs(entities) do
        assert(declarative.delete_entity_for_txn(txn, kind, entity, nil))
      end
    end
  end

  for kind, entities in pairs(changes.upserts) do
    for _, entity in pairs(entities) do
      assert(declarative.insert_entity_for_txn(txn, kind, entity, nil))
    end
  end

  txn:set(constants.DECLARATIVE_HASH_KEY, hash)
  journal.add(txn, base, plan.of(changes, hash))

  return txn:commit()
end


local function apply(delta)
  local current = declarative.get_current_hash() or constants.DECLARATIVE_EMPTY_CONFIG_HASH
  if delta.base ~= current then
    return { status = 409, body = { message = "the configuration is another one", hash = current } }
  end

  local changes, refusal = check.changes(delta)
  if not changes then
    return { status = 400, body = refusal }
  end

  local ok, err = commit(changes, delta.base, delta.hash)
  if ok then
    return { status = 200, body = { hash = delta.hash } }
  end

  if tostring(err):find("MDB_MAP_FULL", 1, true) then
    return { status = 413, body = {
      message = "Configuration does not fit in LMDB database, " ..
                "consider raising the \"lmdb_map_size\" config for Kong",
    } }
  end

  return nil, err
end


-- Returns the status, the body and the headers of the answer.
return function(delta)
  if ngx.worker.exiting() then
    return 503, { message = "Kong currently exiting" }
  end

  local answer, err, ttl = concurrency.with_worker_mutex(LOCK, function()
    return apply(delta)
  end)

  if answer then
    return answer.status, answer.body
  end

  if err == "timeout" then
    return 429, { message = "Currently loading previous configuration" },
           { ["Retry-After"] = math.ceil(math.min(ttl or RETRY_AFTER, RETRY_AFTER)) }
  end

  kong.log.err("a delta could not be applied: ", err)
  return 500, { message = "An unexpected error occurred" }
end
