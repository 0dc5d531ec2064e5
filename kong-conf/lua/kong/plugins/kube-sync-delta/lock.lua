-- A worker that ends while it holds the lock of full loads and deltas leaves it locked for a minute, in which
-- Kong accepts no configuration. Here the next worker that needs the lock releases it.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")


local LOCK = "declarative:lock"
local HOLDER = "kube-sync-delta:holder"


local _M = { name = LOCK }


-- Reports whether the process with this id has ended.
function _M.ended(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  return not (file and file:close())
end


-- Releases the lock of a worker that has ended. Only the first worker that sees it does so: by the time
-- the others look, another worker may hold the lock.
local function release()
  local shm = ngx.shared.kong
  local pid = shm:get(HOLDER)
  if pid and _M.ended(pid) and shm:add(HOLDER .. ":" .. pid, true, 60) then
    kong.log.warn("worker ", pid, " ended while it changed the configuration")
    shm:delete(HOLDER)
    ngx.shared.kong_locks:delete(LOCK)
  end
end


function _M.init_worker()
  internals.replace("kong.concurrency", "with_worker_mutex", function(with_worker_mutex)
    return function(opts, fn)
      if type(opts) ~= "table" or opts.name ~= LOCK then
        return with_worker_mutex(opts, fn)
      end

      release()
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
  end)
end


return _M
