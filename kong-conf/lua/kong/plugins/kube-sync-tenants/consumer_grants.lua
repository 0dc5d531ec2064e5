-- Decides whether a route is for a consumer, by the tags that kube-sync writes: the namespace of the object that
-- an entity is translated from, and on routes the namespaces that ReferenceGrants permit. The tags of
-- users cannot start like these.
local OWN = "^k8s%-namespace:(.+)$"
local GRANTED = "^k8s%-consumers%-of:(.+)$"

local type = type


-- By the tags of an entity: its own namespace, and those whose consumers it is for.
local read = setmetatable({}, { __mode = "k" })


local function of(entity)
  local tags = entity and entity.tags
  if type(tags) ~= "table" then
    return nil
  end

  local found = read[tags]
  if not found then
    found = {}
    for i = 1, #tags do
      local own, granted = tags[i]:match(OWN), tags[i]:match(GRANTED)
      found.own = found.own or own
      found[own or granted or ""] = true
    end
    read[tags] = found
  end

  return found
end


-- Reports whether a route's namespace is the consumer's, or grants it.
return function(route, consumer)
  local from, to = of(consumer), of(route)
  return from ~= nil and to ~= nil and from.own ~= nil and to[from.own] == true
end
