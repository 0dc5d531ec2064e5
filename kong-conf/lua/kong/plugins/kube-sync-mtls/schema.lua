-- Where clients have to prove who they are. For all requests it says at which ports of Kong
-- and by what, for a route that nobody is to come by who was not asked.
local typedefs = require "kong.db.schema.typedefs"

local port = {
  type = "record",
  fields = {
    { port = { type = "integer", required = true, between = { 1, 65535 } } },
    -- False asks for a certificate, and lets everybody by.
    { required = { type = "boolean", required = true } },
    -- Who vouches for clients. Without any there is none who is let by.
    { cas = { type = "array", elements = typedefs.certificate } },
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
