-- Writes entities and their index keys. Kong computes some of these keys, such as the digest of a
-- certificate, and no full load checks that they are unique. If several entities share a key, the key
-- leads to the first one, and only the deletion of that one deletes it. LMDB fails when it has to
-- delete a key that does not exist.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local declarative = internals.module("kong.db.declarative")
local lmdb = internals.module("resty.lmdb")


local _M = {}
_M.__index = _M


-- Returns a writer for one transaction, in which all deletions come first.
function _M.new(txn)
  return setmetatable({ txn = txn, gone = {}, taken = {} }, _M)
end


-- Calls a function of Kong that sets the keys of an entity, with set in place of the transaction's.
local function each_key(fn, kind, entity, set)
  assert(fn({ set = function(_, key, value) set(key, value) end }, kind, entity, nil))
end


local function item_of(kind, entity)
  return declarative.item_key(kind, entity.ws_id, entity.id)
end


function _M:delete(kind, entity)
  local item = item_of(kind, entity)
  each_key(declarative.delete_entity_for_txn, kind, entity, function(key)
    if not self.gone[key] and (key == item or lmdb.get(key) == item) then
      self.gone[key] = true
      self.txn:set(key, nil)
    end
  end)
end


function _M:insert(kind, entity)
  local item = item_of(kind, entity)
  each_key(declarative.insert_entity_for_txn, kind, entity, function(key, value)
    if key ~= item then
      local holder = self.taken[key] or not self.gone[key] and lmdb.get(key)
      if holder and holder ~= item then
        return
      end
      self.taken[key] = item
    end
    self.txn:set(key, value)
  end)
end


return _M
