-- How full Kong's database is.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/storage")


-- Returns the size of LMDB and how much of it is used, in bytes, or nil if that is unknown.
return function()
  if internals.problem() then
    return nil
  end

  local info = internals.module("resty.lmdb.status").get_env_info()
  return info and { size = info.map_size, used = info.in_use_pages * info.page_size }
end
