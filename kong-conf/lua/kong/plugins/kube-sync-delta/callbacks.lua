-- Kong's library of worker events keeps the name of a source and the numbers of its callbacks after the
-- callbacks are gone. Each upstream with health checks is a source, so memory would grow.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")


local _M = {}


-- Forgets the callbacks of a source that are gone.
function _M.forget(source)
  local sources = internals.get("resty.events.compat", "post>ev.worker._callback._callbacks")
  local functions = internals.get("resty.events.compat", "post>ev.worker._callback._funcs")
  for event, numbers in pairs(sources[source] or {}) do
    for number in pairs(numbers) do
      if not functions[number] then
        numbers[number] = nil
      end
    end
    if next(numbers) == nil then
      sources[source][event] = nil
    end
  end

  if sources[source] and next(sources[source]) == nil then
    sources[source] = nil
  end
end


return _M
