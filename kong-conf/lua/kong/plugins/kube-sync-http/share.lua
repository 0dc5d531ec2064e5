-- Chooses one of several weighted backends.
local random = math.random
local kong = kong


local function choose(shares, total)
  local chosen = random(total)
  for i = 1, #shares do
    local share = shares[i]
    if chosen <= share.weight then
      return share
    end
    chosen = chosen - share.weight
  end
end


-- Sends the request to the chosen backend and returns its share, or answers with an error if the backend
-- is invalid. Returns nil if the service's own upstream is chosen, which has the rest of the total.
return function(shares, total)
  local share = choose(shares, total)
  if not share then
    return nil
  end
  if share.status then
    return kong.response.exit(share.status, { message = "no backend is available" })
  end
  if share.relay then
    return share
  end
  local found, err = kong.service.set_upstream(share.upstream)
  if not found then
    kong.log.err(err)
    return kong.response.exit(503, { message = "no backend is available" })
  end
  return share
end
