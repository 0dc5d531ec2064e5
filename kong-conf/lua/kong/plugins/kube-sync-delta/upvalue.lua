-- Returns the value of a function's upvalue and its place; nothing if there is none.
return function(fn, name)
  local i = 1
  repeat
    local found, value = debug.getupvalue(fn, i)
    if found == name then
      return value, i
    end
    i = i + 1
  until not found
end
