-- The Admin route that kube-sync calls when it starts. It says which Kong this is, and whether requests are
-- examined.
return {
  ["/kube-sync/request"] = {
    GET = function()
      return kong.response.exit(200, {
        version = tostring(kong.version),
        problem = require("kong.plugins.kube-sync-request.hook").problem(),
        held = require("kong.plugins.kube-sync-request.body").held(),
      })
    end,
  },
}
