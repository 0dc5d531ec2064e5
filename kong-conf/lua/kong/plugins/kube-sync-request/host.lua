-- Settles the host of a request. Kong routes by the header Host and sends it to backends, but it sends the
-- host that nginx made of the whole request in X-Forwarded-Host. The two differ for a target that is a
-- whole URL, which takes precedence over Host (RFC 9112, section 3.2.2), and for a name that ends in a dot.
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
    return error(400, "the request has several headers Host")
  end

  -- an IPv6 address contains colons
  local name, port = match(said, "^(%[[^%]]*%])(.*)$")
  if not name then
    name, port = match(said, "^([^:]*)(.*)$")
  end

  local bare = match(name, "^(.-)%.?$")
  if lower(bare) ~= var.host or port ~= "" and not match(port, "^:%d*$") then
    return error(400, "the header Host is neither a host name nor a host name and a port")
  end

  local settled = bare .. port
  if settled ~= asked then
    headers.host = settled
    set_header("Host", settled)
  end
end
