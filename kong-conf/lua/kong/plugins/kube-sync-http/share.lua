-- One of several backends, drawn as often as its weight has it.
local random = math.random
local kong = kong

local function draw(shares, total)
  local drawn = random(total)
  for i = 1, #shares do
    local share = shares[i]
    if drawn <= share.weight then
      return share
    end
    drawn = drawn - share.weight
  end
end

-- Has the drawn backend get the request. Of one that cannot answer it gives an error,
-- and nothing for what is left of the total: that is the service's own upstream.
return function(shares, total)
  local share = draw(shares, total)
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
