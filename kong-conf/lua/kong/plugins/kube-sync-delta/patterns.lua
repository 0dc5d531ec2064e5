-- A Lua pattern without an anchor takes time that grows with the square of a string's length. Kong's schema
-- matches strings with such a pattern for e-mail addresses: 60 KB hang a worker for a minute. So strings
-- that are matched with such a pattern have a maximum length.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/patterns")


local MOST = 1024 -- bytes


local _M = {}


-- Runs when Kong loads its plugins, before there are workers.
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
