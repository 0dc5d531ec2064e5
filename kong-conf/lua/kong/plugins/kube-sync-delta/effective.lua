-- The hashes of the configurations in effect in the workers of a subsystem, in shared memory.
local HASH = "kube-sync-delta:"
local OWNER = "kube-sync-delta:owner:"
local STARTS = "kube-sync-delta:starts"


local _M = {}


-- Takes the place of the former worker with this id, which goes on for a while after a reload. Reports whether
-- there was one.
function _M.claim()
  local id = ngx.worker.id()
  local former = ngx.shared.kong:get(OWNER .. id)
  ngx.shared.kong:set(OWNER .. id, ngx.worker.pid())
  ngx.shared.kong:set(HASH .. id, "")
  ngx.shared.kong:incr(STARTS, 1, 0)

  return former ~= nil
end


-- Records the hash of the configuration in effect in this worker, or nil.
function _M.record(hash)
  local id = ngx.worker.id()
  if not ngx.worker.exiting() and ngx.shared.kong:get(OWNER .. id) == ngx.worker.pid() then
    ngx.shared.kong:set(HASH .. id, hash or "")
  end
end


-- Returns how many workers have started since Kong did.
function _M.starts()
  return ngx.shared.kong:get(STARTS) or 0
end


-- Returns the hash of each worker, or "".
function _M.hashes()
  local hashes = {}
  for id = 0, ngx.worker.count() - 1 do
    hashes[id + 1] = ngx.shared.kong:get(HASH .. id) or ""
  end

  return hashes
end


-- Returns the process id of each worker, or 0. Both subsystems run in the same processes.
function _M.pids()
  local pids = {}
  for id = 0, ngx.worker.count() - 1 do
    pids[id + 1] = ngx.shared.kong:get(OWNER .. id) or 0
  end

  return pids
end


return _M
