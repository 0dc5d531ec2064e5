-- The share of connections to close, out of the total.
local typedefs = require "kong.db.schema.typedefs"

local share = { type = "integer", required = true, gt = 0 }

return {
  name = "kube-sync-stream",
  fields = {
    { protocols = typedefs.protocols { default = { "tcp", "tls", "tls_passthrough", "udp" } } },
    { consumer = typedefs.no_consumer },
    { config = {
      type = "record",
      fields = { { closed = share }, { total = share } },
    } },
  },
}
