-- Returns the namespace of the object that a route was translated from, or "".
local ipairs = ipairs
local match = string.match
local type = type


local namespaces = setmetatable({}, { __mode = "k" })


return function(route)
  local found = namespaces[route]
  if not found then
    found = ""
    for _, tag in ipairs(type(route.tags) == "table" and route.tags or {}) do
      found = match(tag, "^k8s%-namespace:(.*)") or found
    end
    namespaces[route] = found
  end

  return found
end
