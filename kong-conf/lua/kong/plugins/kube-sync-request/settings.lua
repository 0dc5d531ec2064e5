-- Settings of kube-sync that workers read, from Kong's own in effect. Defaults and forms are those of
-- kube-sync, which refuses values that it does not understand.
local PREFIX = "pluginserver_kube_sync_"

local DEFAULTS = {
  max_kong_hops = "5",
  max_buffered_body = "1m",
  max_buffered_bodies = "256m",
}

local UNITS = { [""] = 1, k = 2 ^ 10, m = 2 ^ 20, g = 2 ^ 30 }


local _M = {}


local function given(name)
  return tostring(kong.configuration[PREFIX .. name] or DEFAULTS[name]):lower()
end


function _M.number(name)
  return tonumber(given(name)) or tonumber(DEFAULTS[name])
end


-- Bytes, of a number with k, m or g.
function _M.size(name)
  local digits, unit = given(name):match("^(%d+)([kmg]?)$")
  if not digits then
    digits, unit = DEFAULTS[name]:match("^(%d+)([kmg]?)$")
  end

  return tonumber(digits) * UNITS[unit]
end


return _M
