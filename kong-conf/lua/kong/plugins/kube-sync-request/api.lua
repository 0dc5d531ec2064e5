-- The Admin route that kube-sync asks when it starts: which Kong this is, and whether it examines requests.
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
