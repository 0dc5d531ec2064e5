-- What each delta changes. The transaction of a delta writes it to LMDB, where the workers of both
-- subsystems read it. So the size of events does not limit it, and a worker that missed an event
-- can still follow. A full load drops it with everything else.
local buffer = require "string.buffer"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local lmdb = internals.module("resty.lmdb")


local _M = {}


local KEY = "kube-sync-delta|"
local LIST = "kube-sync-delta"
local KEPT = 64


local function read(key)
  local value = lmdb.get(key)
  return value and buffer.decode(value)
end


-- Returns the plan that leads on from the configuration with this hash, or nil.
function _M.plan(base)
  return base and read(KEY .. base)
end


function _M.add(txn, base, plan)
  local bases = read(LIST) or {}
  for i = #bases, 1, -1 do
    if bases[i] == base then
      table.remove(bases, i)
    end
  end

  bases[#bases + 1] = base
  if #bases > KEPT then
    txn:set(KEY .. table.remove(bases, 1), nil)
  end

  txn:set(LIST, buffer.encode(bases))
  txn:set(KEY .. base, buffer.encode(plan))
end


return _M
