-- Whether consumers are unauthorized on routes of namespaces that do not grant it. Without this plugin for all
-- requests, consumers and their plugins are for all routes, as in Kong.
local typedefs = require "kong.db.schema.typedefs"

return {
  name = "kube-sync-tenants",
  fields = {
    { protocols = typedefs.protocols_http },
    { consumer = typedefs.no_consumer },
    { route = typedefs.no_route },
    { service = typedefs.no_service },
    { config = {
      type = "record",
      fields = { { isolated = { type = "boolean", required = true, default = false } } },
    } },
  },
}
