-- Writes entities and their index keys. Kong makes some of these keys of values that it
-- computes itself, such as the digest of a certificate or a pair of fields, and checks in no
-- full load that they are unique. Then the key is one for several entities: it leads to the
-- one that came first, and only with that one it goes. LMDB fails over a key that is to be
-- deleted and does not exist.
local declarative = require "kong.db.declarative"
local lmdb = require "resty.lmdb"


local _M = {}
_M.__index = _M


-- For one transaction, in which all deletions come first.
function _M.new(txn)
  return setmetatable({ txn = txn, gone = {}, taken = {} }, _M)
end


-- Runs a function of Kong that sets keys of an entity, with each key that is not the
-- entity's own item looked at first.
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
