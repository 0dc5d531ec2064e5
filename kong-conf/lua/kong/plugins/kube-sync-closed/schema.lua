-- The message of the error that clients get.
local typedefs = require "kong.db.schema.typedefs"

return {
  name = "kube-sync-closed",
  fields = {
    { protocols = typedefs.protocols {
      default = { "http", "https", "tcp", "tls", "tls_passthrough", "udp", "grpc", "grpcs" },
    } },
    { consumer = typedefs.no_consumer },
    { route = typedefs.no_route },
    { service = typedefs.no_service },
    { config = {
      type = "record",
      fields = { { message = { type = "string", required = true } } },
    } },
  },
}
