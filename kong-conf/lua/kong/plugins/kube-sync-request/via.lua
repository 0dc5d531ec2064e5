-- Ends loops: a request to a backend that leads back to the gateway would pass it until its headers are too
-- large. Each Kong adds itself to the header Via, which plugins cannot prevent.
local concat = table.concat
local find = string.find
local kong = kong
local lower = string.lower
local type = type


local limit = require("kong.plugins.kube-sync-request.settings").number("max_kong_hops")


return function(gateways)
  if type(gateways) == "table" then
    gateways = concat(gateways, ",")
  end

  gateways = lower(gateways)
  local passed, at = 0, 0
  repeat
    at = find(gateways, "kong/", at + 1, true)
    passed = passed + (at and 1 or 0)
  until not at

  if passed >= limit then
    return kong.response.error(508, "the request went through too many gateways")
  end
end
