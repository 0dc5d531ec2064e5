-- http-log names its queue by where it sends to, and a queue sends with the configuration of
-- whoever filled it last: entries of one namespace would go out with the headers of another,
-- to another's account. Here each plugin has a queue of its own, as other plugins do.
local _M = {}


-- Returns what is wrong with this Kong, or nil.
function _M.split()
  local ok, queue = pcall(require, "kong.tools.queue")
  if not ok or type(queue.get_plugin_params) ~= "function" then
    return "Kong's plugins fill queues in another way"
  end

  local params = queue.get_plugin_params

  function queue.get_plugin_params(name, config)
    return params(name, config)
  end
end


return _M
