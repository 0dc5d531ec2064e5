-- Many backends take "_" in the name of a header for "-", as CGI does, and so do some of Kong's own
-- look-ups. A client could have its own X_Consumer_Username beside the X-Consumer-Username of an
-- authentication plugin, or an X_Forwarded_Proto that Kong believes instead of a trusted proxy's. Names
-- that a gateway speaks by are taken from clients only with "-".
local clear_header = ngx.req.clear_header
local find = string.find
local gsub = string.gsub
local next = next


local BEGIN = "^x%-(%l+)"

local OURS = {
  anonymous = true,
  authenticated = true,
  consumer = true,
  credential = true,
  forwarded = true,
  kong = true,
  real = true,
}


return function(headers)
  for name in next, headers do
    if find(name, "_", 1, true) then
      local _, _, begin = find(gsub(name, "_", "-"), BEGIN)
      if OURS[begin] then
        clear_header(name)
        headers[name] = nil
      end
    end
  end
end
