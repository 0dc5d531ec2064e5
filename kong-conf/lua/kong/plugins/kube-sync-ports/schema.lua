-- Maps ports of Kong to ports of Gateways.
local typedefs = require "kong.db.schema.typedefs"

local port = { type = "integer", required = true, between = { 1, 65535 } }

return {
  name = "kube-sync-ports",
  fields = {
    { protocols = typedefs.protocols_http },
    { consumer = typedefs.no_consumer },
    { route = typedefs.no_route },
    { service = typedefs.no_service },
    { config = {
      type = "record",
      fields = {
        { ports = { type = "array", required = true, elements = {
          type = "record", fields = { { kong = port }, { gateway = port } },
        } } },
      },
    } },
  },
}
