-- Which workers are just looking at a configuration, and since when. One that hangs over it
-- answers no requests, and cannot say so itself.
local BUSY = "kube-sync-delta:busy:"


local _M = {}


-- The workers of which it is known, each with its process and for how many seconds.
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
  local config = kong.db.declarative_config
  local parse_table = config.parse_table
  ngx.shared.kong:delete(key)

  config.parse_table = function(...)
    ngx.update_time()
    ngx.shared.kong:set(key, ngx.worker.pid() .. " " .. ngx.now())
    local results = { pcall(parse_table, ...) }
    ngx.shared.kong:delete(key)
    if not results[1] then
      error(results[2], 0)
    end

    return unpack(results, 2, 6)
  end
end


return _M
