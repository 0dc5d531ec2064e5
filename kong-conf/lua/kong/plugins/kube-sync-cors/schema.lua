-- The fields of a CORS filter of Gateway API.
local typedefs = require "kong.db.schema.typedefs"

-- A comma-separated list of names, or "*".
local names = { type = "string", match = "^[%w!#$%%&'*+.^_`|~, -]+$" }

return {
  name = "kube-sync-cors",
  fields = {
    { protocols = typedefs.protocols_http },
    { consumer = typedefs.no_consumer },
    { config = {
      type = "record",
      fields = {
        -- "https://example.com:8443", "https://*.example.com", or "*" alone.
        { origins = { type = "array", required = true, elements = { type = "string" } } },
        { methods = names },
        { headers = names },
        { expose = names },
        { credentials = { type = "boolean", required = true, default = false } },
        { max_age = { type = "integer", required = true, gt = 0 } },
      },
    } },
  },
}
