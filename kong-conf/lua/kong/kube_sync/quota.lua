-- An amount that namespaces share. One namespace gets at most half of it, so that no tenant uses up what the
-- others need.
local floor = math.floor


local _M = {}
local methods = { __index = {} }


function _M.new(limit)
  return setmetatable({ limit = limit, taken = 0, by = {} }, methods)
end


-- Takes n for a namespace, and reports whether there was enough.
function methods.__index:take(namespace, n)
  local theirs = (self.by[namespace] or 0) + n
  if self.taken + n > self.limit or theirs > floor(self.limit / 2) then
    return false
  end

  self.taken = self.taken + n
  self.by[namespace] = theirs
  return true
end


function methods.__index:give(namespace, n)
  self.taken = self.taken - n
  local theirs = self.by[namespace] - n
  self.by[namespace] = theirs > 0 and theirs or nil
end


return _M
