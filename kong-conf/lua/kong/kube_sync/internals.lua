-- These plugins reach internals of Kong and OpenResty only through this module. The list
-- internals_list.lua names every internal, its user, and what happens if Kong's differs. A plugin
-- gets the internals that are listed for its part, and no others.
local list = require "kong.kube_sync.internals_list"

local debug = debug
local type = type

local _M = {}

-- Roots of paths that are not modules.
local ROOTS = {
  PDK = function() return kong end,
  ngx = function() return ngx end,
}


local function root(name)
  return ROOTS[name] and ROOTS[name]() or require(name)
end


-- Returns an upvalue of a function and its index, or nil.
local function upvalue(fn, name)
  local i = 1
  repeat
    local found, value = debug.getupvalue(fn, i)
    if found == name then
      return value, i
    end
    i = i + 1
  until not found
end


-- Follows a path, such as "redis.usage>get_db_key": "." leads to a field, ">" to an upvalue of a function.
-- Returns the value and a function that replaces it, or nil.
local function resolve(name, path)
  local value, set = root(name), nil
  for separator, step in path:gmatch("([.>]?)([%w_-]+)") do
    local holder, index = value, nil
    if separator == ">" and type(holder) == "function" then
      value, index = upvalue(holder, step)
      set = index and function(replacement) debug.setupvalue(holder, index, replacement) end

    elseif separator ~= ">" and type(holder) == "table" then
      value = holder[step]
      set = function(replacement) holder[step] = replacement end

    else
      return nil
    end
  end

  return value, set
end


-- Splits "path", "path/parameters" or "path=type". The default type is function. The type any accepts every
-- value but nil, and variable accepts an upvalue that may still be nil.
local function parse(requirement)
  local path, parameters, kind = requirement:match("^([^/=]+)/?(%d*)=?(%l*)$")
  return path, tonumber(parameters), kind ~= "" and kind or "function"
end


-- Returns what is wrong with a requirement of a module, or nil.
local function unmet(name, requirement)
  local path, parameters, kind = parse(requirement)
  local value, set = resolve(name, path)
  if kind == "variable" then
    return not set and name .. " has no variable " .. path or nil
  end

  if kind == "any" then
    return value == nil and name .. " has no " .. path or nil
  end

  if type(value) ~= kind then
    return name .. " has no " .. kind .. " " .. path
  end

  if parameters and debug.getinfo(value, "u").nparams ~= parameters then
    return name .. " has a function " .. path .. " with other parameters"
  end
end


local function unknown_version(part)
  local version = tostring(kong.version)
  if part.version and not version:find("^" .. part.version:gsub("%.", "%%.") .. "%.") then
    return "Kong " .. version .. " is not " .. part.version
  end

  if part.dbless and kong.db.strategy ~= "off" then
    return "Kong has a database"
  end
end


local function look(part)
  local problem = unknown_version(part)
  if problem then
    return problem
  end

  for name, requirements in pairs(part.modules or {}) do
    local ok, err = pcall(root, name)
    if not ok then
      return "module " .. name .. " does not load: " .. tostring(err)
    end

    for requirement in requirements:gmatch("%S+") do
      problem = unmet(name, requirement)
      if problem then
        return problem
      end
    end
  end
end


-- Returns the internals of a part of a plugin, by its name in the list.
function _M.of(name)
  local part = assert(list[name], "internals_list.lua has no part " .. name)
  local paths = {}
  for module, requirements in pairs(part.modules or {}) do
    paths[module] = {}
    for requirement in requirements:gmatch("%S+") do
      paths[module][parse(requirement)] = true
    end
  end

  local function listed(module, path)
    assert(paths[module] and (not path or paths[module][path]), "internals_list.lua does not list it for this part")
  end

  local internals = {}

  -- Returns a module of Kong or OpenResty.
  function internals.module(module)
    listed(module)
    return root(module)
  end

  -- Returns the present value at a path of a module, or nil.
  function internals.get(module, path)
    listed(module, path)
    return (resolve(module, path))
  end

  -- Replaces the value at a path with what make returns for it.
  function internals.replace(module, path, make)
    listed(module, path)
    local value, set = resolve(module, path)
    assert(set, module .. " has no " .. path)(make(value))
  end

  -- Returns LuaJIT's registry, where the methods of cosockets are.
  function internals.registry()
    assert(part.registry, "internals_list.lua does not list the registry for this part")
    return debug.getregistry()
  end

  -- Returns why this part does not support Kong's version or database mode, or nil.
  function internals.unknown_version()
    return unknown_version(part)
  end

  local looked, problem

  -- Returns what is wrong with this Kong, or nil. The result is cached.
  function internals.problem()
    if not looked then
      looked, problem = true, look(part)
    end

    return problem
  end

  -- Raises an error if anything is wrong with this Kong. While a plugin is being loaded, that keeps Kong
  -- from starting.
  function internals.assert()
    local found = internals.problem()
    if found then
      error("plugin " .. name .. " does not work with this Kong: " .. found, 0)
    end
  end

  return internals
end


return _M
