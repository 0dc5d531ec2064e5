-- Reads settings of kube-sync from Kong's settings in effect. Defaults and formats are those of kube-sync,
-- which refuses invalid values.
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


-- Returns bytes, from a number with k, m, g or nothing after it.
function _M.size(name)
  local digits, unit = given(name):match("^(%d+)([kmg]?)$")
  if not digits then
    digits, unit = DEFAULTS[name]:match("^(%d+)([kmg]?)$")
  end

  return tonumber(digits) * UNITS[unit]
end


return _M
