-- Where clients need a certificate. The plugin for all requests has the ports of Kong and their
-- authorities. The plugin of a route requires that the client was asked for a certificate.
local typedefs = require "kong.db.schema.typedefs"

local port = {
  type = "record",
  fields = {
    { port = { type = "integer", required = true, between = { 1, 65535 } } },
    -- If false, the client is asked for a certificate, and every client is admitted.
    { required = { type = "boolean", required = true } },
    -- Authorities of client certificates, each in PEM. Without any, all clients are refused. They are strings here: if
    -- OpenSSL refuses one, validation closes its port, and the ports of other Gateways stay as they are.
    { cas = { type = "array", elements = { type = "string" } } },
  },
}

return {
  name = "kube-sync-mtls",
  fields = {
    { protocols = typedefs.protocols_http },
    { consumer = typedefs.no_consumer },
    { service = typedefs.no_service },
    { config = {
      type = "record",
      fields = {
        { ports = { type = "array", elements = port } },
        { required = { type = "boolean" } },
      },
      entity_checks = { { only_one_of = { "ports", "required" } } },
    } },
  },
}
