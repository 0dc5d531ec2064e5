-- A Lua pattern without an anchor takes time that grows with the square of a string's length. Kong's schema
-- looks for such a pattern of e-mail addresses in the string it is given: 60 KB hang a worker for a
-- minute. So strings that such a pattern is looked for in have a bound.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/patterns")


local MOST = 1024 -- bytes


local _M = {}


-- Kong loads its plugins before there are workers, and calls this then.
function _M.init()
  internals.assert()
  internals.replace("kong.db.schema", "validators.match", function(match)
    return function(value, pattern, ...)
      if type(value) == "string" and #value > MOST and pattern:sub(1, 1) ~= "^" then
        return nil, "length must be at most " .. MOST
      end

      return match(value, pattern, ...)
    end
  end)
end


return _M
