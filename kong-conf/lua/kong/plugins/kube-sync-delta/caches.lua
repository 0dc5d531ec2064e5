-- Removes values from Kong's caches.
local _M = {}


-- Drops this worker's copy of a value and the shared one. Kong's invalidate would broadcast an event for each
-- key, and Kong handles about 2000 events a second. Misses are cached too, and never expire.
function _M.drop(store, key)
  local mlcache = kong[store].mlcache
  local name = mlcache.name .. key
  mlcache.dict:delete(name)
  if mlcache.dict_miss then
    mlcache.dict_miss:delete(name)
  end
  mlcache.lru:delete(key)
end


return _M
