-- Which namespaces' consumers a route is for. kube-sync's tags on entities tell: the
-- namespace of the object that an entity is made of, and on routes the namespaces that
-- ReferenceGrants let in. Users have no tags that begin like these.
local OWN = "^k8s%-namespace:(.+)$"
local GRANTED = "^k8s%-consumers%-of:(.+)$"

local type = type


-- By the tags of an entity: its own namespace, and those of the consumers that it is for.
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


-- Whether a route's namespace is the consumer's, or grants it.
return function(route, consumer)
  local from, to = of(consumer), of(route)
  return from ~= nil and to ~= nil and from.own ~= nil and to[from.own] == true
end
