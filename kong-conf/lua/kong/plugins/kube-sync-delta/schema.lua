-- There is nothing to configure, and no entity: the setting `plugins` enables the plugin.
return {
  name = "kube-sync-delta",
  fields = {
    { protocols = require("kong.db.schema.typedefs").protocols },
    { config = { type = "record", fields = {} } },
  },
}
