-- There is nothing to configure and no entity: naming the plugin in the setting `plugins` is what
-- switches it on, for every request.
return {
  name = "kube-sync-request",
  fields = {
    { protocols = require("kong.db.schema.typedefs").protocols },
    { config = { type = "record", fields = {} } },
  },
}
