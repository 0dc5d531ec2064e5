-- The companion has nothing to configure and is attached to nothing: naming it in the
-- setting `plugins` is what switches it on.
return {
  name = "kube-sync-delta",
  fields = {
    { protocols = require("kong.db.schema.typedefs").protocols },
    { config = { type = "record", fields = {} } },
  },
}
