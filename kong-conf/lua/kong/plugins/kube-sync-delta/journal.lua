-- The plans of the last deltas. The transaction of a delta writes its plan to LMDB, where the workers of
-- both subsystems read it. So a plan may be larger than an event, and a worker that missed an event
-- can still follow. A full load drops the journal with everything else.
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


-- Returns the plan of the delta that changes the configuration with this hash, or nil.
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
