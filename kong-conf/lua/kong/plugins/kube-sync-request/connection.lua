-- The header Connection names headers that are for the next server only. Kong removes these from a
-- request after plugins and filters have run: a client could remove what they set, and up to Kong
-- 3.9.3 also the length of the body (CVE-2026-6338), so that what follows it is taken for the next
-- request. Here they are removed before, of what the client sent, and Kong has none left to remove.
local clear_header = ngx.req.clear_header
local concat = table.concat
local gmatch = string.gmatch
local kong = kong
local lower = string.lower
local match = string.match
local rawget = rawget
local set_header = ngx.req.set_header
local type = type


local _M = {
  -- As most clients write it.
  plain = { ["keep-alive"] = true, ["Keep-Alive"] = true, close = true, Close = true, Upgrade = true, upgrade = true },
}


-- What a request is, where it ends and whom it is for depends on them.
local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true, host = true }

-- What Connection may say of the connection itself.
local OPTIONS = { close = true, ["keep-alive"] = true, upgrade = true }

-- Set by proxies for all servers behind them, so that no client has a say; and TE, which Kong sends on
-- by rules of its own.
local KEPT = {
  te = true,
  via = true,
  forwarded = true,
  ["cdn-loop"] = true,
  ["x-real-ip"] = true,
  ["x-forwarded-for"] = true,
  ["x-forwarded-host"] = true,
  ["x-forwarded-port"] = true,
  ["x-forwarded-proto"] = true,
  ["x-forwarded-path"] = true,
  ["x-forwarded-prefix"] = true,
}


function _M.settle(headers, options)
  if type(options) == "table" then
    options = concat(options, ",")
  end

  local left = {}
  for element in gmatch(options, "[^,]+") do
    -- a quoted name is none, but some read it as one
    local name = lower(match(element, '^[%s"]*(.-)[%s"]*$'))
    if FRAMING[name] then
      return kong.response.error(400, "the header Connection names a header that every server needs")
    end

    if OPTIONS[name] then
      left[#left + 1] = name

    elseif not KEPT[name] and rawget(headers, name) ~= nil then
      clear_header(name)
      headers[name] = nil
    end
  end

  if left[1] then
    headers.connection = concat(left, ", ")
    set_header("Connection", headers.connection)

  else
    headers.connection = nil
    clear_header("Connection")
  end
end


return _M
