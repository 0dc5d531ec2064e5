-- A pattern of Lua that is not anchored takes time that grows with the square of a string's
-- length. Kong's schema looks for that of an e-mail address in whatever it is given: 60 KB
-- hang a worker for a minute. So strings that such a pattern is looked for in have a bound.
local Schema = require "kong.db.schema"


local MOST = 1024


local _M = {}


function _M.init()
  local match = Schema.validators.match

  Schema.validators.match = function(value, pattern, ...)
    if type(value) == "string" and #value > MOST and pattern:sub(1, 1) ~= "^" then
      return nil, "length must be at most " .. MOST
    end

    return match(value, pattern, ...)
  end
end


return _M
