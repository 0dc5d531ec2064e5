-- Many backends treat "_" in the name of a header as "-", as CGI does, and so does Kong itself in places. A
-- client could send X_Consumer_Username beside the X-Consumer-Username of an authentication plugin, or
-- X_Forwarded_Proto, which Kong prefers to a trusted proxy's header. So headers whose names the gateway
-- itself uses are removed when a client spells them with "_".
local clear_header = ngx.req.clear_header
local find = string.find
local gsub = string.gsub
local next = next


local START = "^x%-(%l+)"

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
      local _, _, start = find(gsub(name, "_", "-"), START)
      if OURS[start] then
        clear_header(name)
        headers[name] = nil
      end
    end
  end
end
