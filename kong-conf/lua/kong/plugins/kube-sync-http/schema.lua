-- The filters of a rule of Gateway API, as typed values. None of them is a template or a program.
local typedefs = require "kong.db.schema.typedefs"

local name = { type = "string", required = true, len_min = 1, match = "^[%w!#$%%&'*+.^_`|~-]+$" }

-- Without control characters, a value cannot break out of its header.
local value = { type = "string", required = true, len_min = 0, not_match = "%c" }

local pairs_of = { type = "array", elements = { type = "record", fields = { { name = name }, { value = value } } } }

-- Kong fills in missing records, unless they are not required.
local headers = {
  type = "record",
  required = false,
  fields = {
    { set = pairs_of },
    { add = pairs_of },
    { remove = { type = "array", elements = name } },
  },
}

local text = { type = "string", len_min = 0, not_match = "%c" }

-- The replacement of the full path, or of the elements of a prefix.
local path = {
  type = "record",
  required = false,
  fields = { { full = text }, { prefix = text }, { replacement = text } },
  entity_checks = { { only_one_of = { "full", "prefix" } } },
}


-- Kong changes elements in place, so every field has a table of its own.
local function ports()
  return { type = "array", len_min = 1, elements = { type = "integer", between = { 1, 65535 } } }
end


local host = { type = "string", match = "^[%w._-]+$" }


-- Adds the filters of a rule, or of one of its backends, to other fields.
local function chain(fields)
  fields[#fields + 1] = { redirect = {
    type = "record",
    required = false,
    fields = {
      { status = { type = "integer", required = true, one_of = { 301, 302, 303, 307, 308 } } },
      { scheme = { type = "string", one_of = { "http", "https" } } },
      { host = host },
      { port = { type = "integer", between = { 1, 65535 } } },
      -- The ports of the listeners for requests of a scheme.
      { http_ports = ports() },
      { https_ports = ports() },
      { path = path },
    },
  } }
  fields[#fields + 1] = { rewrite = {
    type = "record",
    required = false,
    fields = { { host = host }, { path = path } },
  } }
  fields[#fields + 1] = { request = headers }
  fields[#fields + 1] = { response = headers }
  return fields
end


-- The key by which a request names its rule to the relay.
local relay = { type = "string", len_min = 1, match = "^%x+$" }

-- The share of a backend: its requests go to an upstream or the relay, or are answered with an error.
local share = {
  type = "record",
  fields = chain {
    { weight = { type = "integer", required = true, gt = 0 } },
    { status = { type = "integer", between = { 400, 599 } } },
    { upstream = host },
    { relay = relay },
  },
  entity_checks = { { only_one_of = { "status", "upstream", "relay" } } },
}

return {
  name = "kube-sync-http",
  fields = {
    { protocols = typedefs.protocols_http },
    { consumer = typedefs.no_consumer },
    { config = {
      type = "record",
      fields = chain {
        -- Weights out of the total. The service's own upstream gets the rest.
        { shares = { type = "array", elements = share } },
        { total = { type = "integer", gt = 0 } },
        { relay = relay },
        { http2 = { type = "boolean" } },
      },
      entity_checks = { { mutually_required = { "shares", "total" } } },
    } },
  },
}
