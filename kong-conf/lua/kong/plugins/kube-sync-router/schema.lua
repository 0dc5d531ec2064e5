-- There is nothing to configure, and no entity: the setting `plugins` enables the plugin for every request.
return {
  name = "kube-sync-router",
  fields = {
    { protocols = require("kong.db.schema.typedefs").protocols },
    { config = { type = "record", fields = {} } },
  },
}
