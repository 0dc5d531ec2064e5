-- The header Connection names headers that are for the next server only. Kong removes them after plugins
-- have run, so a client could remove headers that plugins set. Up to Kong 3.9.3 it could also remove the
-- length of the body (CVE-2026-6338), so that the backend takes the rest for the next request. Here they
-- are removed from the client's headers before plugins run, and Kong has nothing left to remove.
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
  -- The values that most clients send.
  plain = { ["keep-alive"] = true, ["Keep-Alive"] = true, close = true, Close = true, Upgrade = true, upgrade = true },
}


-- The end of a request and its target depend on them.
local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true, host = true }

-- Options of the connection itself.
local OPTIONS = { close = true, ["keep-alive"] = true, upgrade = true }

-- Headers that proxies set for all servers behind them, so that no client may remove them; and TE, for which
-- Kong has rules of its own.
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


-- Removes the headers that the header Connection names.
function _M.clean(headers, options)
  if type(options) == "table" then
    options = concat(options, ",")
  end

  local left = {}
  for element in gmatch(options, "[^,]+") do
    -- a quoted name is invalid, but some servers accept it
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
