-- The plugin http-log names its queue after the address it sends to, and a queue uses the configuration of the
-- plugin that filled it last. So entries of one namespace would be sent with the headers of another, to the
-- other's account. Here each http-log plugin has a queue of its own, like the other bundled plugins.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/queues")


local _M = {}


-- Returns what is wrong with this Kong, or nil.
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  internals.replace("kong.tools.queue", "get_plugin_params", function(params)
    return function(name, config)
      return params(name, config)
    end
  end)
end


return _M
