-- Decides whether the origin of a request may read the response.
local find = string.find
local sub = string.sub


-- A wildcard matches one or more labels, and no port.
local function matches(pattern, origin)
  local star = find(pattern, "*", 1, true)
  if not star then
    return pattern == origin
  end
  local suffix = sub(pattern, star + 1)
  local last = #origin - #suffix
  return last >= star
    and sub(origin, 1, star - 1) == sub(pattern, 1, star - 1)
    and sub(origin, last + 1) == suffix
    and not find(sub(origin, star, last), "[:/]")
end


-- Returns the value of the response header: the origin, "*", or nothing if the origin is not allowed.
-- Browsers reject "*" for requests with credentials.
return function(conf, origin)
  if conf.origins[1] == "*" then
    return conf.credentials and origin or not conf.credentials and "*"
  end
  for i = 1, origin and #conf.origins or 0 do
    if matches(conf.origins[i], origin) then
      return origin
    end
  end
end
