-- Makes the header Host agree with the request. Kong routes by that header and sends it to backends, but in
-- X-Forwarded-Host it sends the host that nginx takes from the whole request. The two differ for a target
-- that is a whole URL, which takes precedence over Host (RFC 9112, section 3.2.2), and for a name that
-- ends in a dot.
local error = kong.response.error
local lower = string.lower
local match = string.match
local set_header = ngx.req.set_header
local type = type
local var = ngx.var


-- Returns "name:port" of a target such as http://name:port/path, or nil.
local function authority()
  return match(var.request or "", "^%S+%s+%a[%w+.-]*://([^/?#%s]+)")
end


return function(headers, asked)
  local said = authority() or asked
  if not said then
    return -- a request of HTTP/1.0 needs no host
  end

  if type(said) == "table" then
    return error(400, "the request has several Host headers")
  end

  -- an IPv6 address contains colons
  local name, port = match(said, "^(%[[^%]]*%])(.*)$")
  if not name then
    name, port = match(said, "^([^:]*)(.*)$")
  end

  local bare = match(name, "^(.-)%.?$")
  if lower(bare) ~= var.host or port ~= "" and not match(port, "^:%d*$") then
    return error(400, "the header Host has to be a host name, with or without a port")
  end

  local agreed = bare .. port
  if agreed ~= asked then
    headers.host = agreed
    set_header("Host", agreed)
  end
end
