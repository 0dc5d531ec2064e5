-- Records in shared memory which workers are parsing a configuration, and since when. A worker that hangs
-- over a configuration answers no requests, so the other workers report it.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")


local BUSY = "kube-sync-delta:busy:"


local _M = {}


-- Returns the workers that are parsing, each with its process id and for how many seconds.
function _M.workers()
  local found = setmetatable({}, require("cjson.safe").array_mt)
  for id = 0, ngx.worker.count() - 1 do
    local pid, since = (ngx.shared.kong:get(BUSY .. id) or ""):match("^(%d+) (.+)$")
    if pid then
      found[#found + 1] = { pid = tonumber(pid), seconds = ngx.now() - tonumber(since) }
    end
  end

  return found
end


function _M.init_worker()
  local key = BUSY .. ngx.worker.id()
  ngx.shared.kong:delete(key)

  internals.replace("PDK", "db.declarative_config.parse_table", function(parse_table)
    return function(...)
      ngx.update_time()
      ngx.shared.kong:set(key, ngx.worker.pid() .. " " .. ngx.now())
      local results = { pcall(parse_table, ...) }
      ngx.shared.kong:delete(key)
      if not results[1] then
        error(results[2], 0)
      end

      return unpack(results, 2, 6)
    end
  end)
end


return _M
