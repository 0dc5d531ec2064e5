-- A worker that ends while it has the lock of full loads and deltas leaves it locked for a
-- minute, in which Kong takes no configuration. Here the next one takes it from the dead.
local concurrency = require "kong.concurrency"


local LOCK = "declarative:lock"
local HOLDER = "kube-sync-delta:holder"


local _M = { name = LOCK }


-- Whether there is no process with this number any more.
function _M.ended(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  return not (file and file:close())
end


-- Takes the lock from a worker that is no more. Only the first to see it may: for the
-- others the lock is somebody else's already.
local function release_the_dead()
  local shm = ngx.shared.kong
  local pid = shm:get(HOLDER)
  if pid and _M.ended(pid) and shm:add(HOLDER .. ":" .. pid, true, 60) then
    kong.log.warn("worker ", pid, " ended while it changed the configuration")
    shm:delete(HOLDER)
    ngx.shared.kong_locks:delete(LOCK)
  end
end


function _M.init_worker()
  local with_worker_mutex = concurrency.with_worker_mutex

  concurrency.with_worker_mutex = function(opts, fn)
    if type(opts) ~= "table" or opts.name ~= LOCK then
      return with_worker_mutex(opts, fn)
    end

    release_the_dead()
    return with_worker_mutex(opts, function(...)
      ngx.shared.kong:set(HOLDER, ngx.worker.pid())
      local ok, result, err, more = pcall(fn, ...)
      ngx.shared.kong:delete(HOLDER)
      if not ok then
        error(result, 0)
      end
      return result, err, more
    end)
  end
end


return _M
