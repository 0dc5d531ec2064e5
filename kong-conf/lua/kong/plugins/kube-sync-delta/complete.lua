-- Completes an entity as a full load does: validated, with its defaults, and with the values that Kong
-- computes from its fields.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local cycle_aware_deep_copy = internals.module("kong.tools.table").cycle_aware_deep_copy
local errors = internals.module("kong.db.errors")


local null = ngx.null


local _M = {}


function _M.parse(input)
  return kong.db.declarative_config:parse_table(input)
end


local function without_nulls(value)
  if type(value) ~= "table" then
    return value
  end

  local copy = {}
  for k, v in pairs(value) do
    if v ~= null then
      copy[k] = without_nulls(v)
    end
  end

  return copy
end


local function with_nulls(original, copy)
  for k, v in pairs(original) do
    if v == null then
      if copy[k] == nil then
        copy[k] = null
      end

    elseif type(v) == "table" and type(copy[k]) == "table" then
      with_nulls(v, copy[k])
    end
  end

  return copy
end


-- Returns the entity as a full load stores it: with hashed passwords, and with a workspace.
function _M.finish(kind, entity)
  local schema = kong.db[kind].schema
  if not schema.workspaceable or entity.ws_id == nil or entity.ws_id == null then
    entity.ws_id = kong.default_workspace
  end

  if schema:has_transformations(entity) then
    return with_nulls(entity, assert(schema:transform(without_nulls(entity))))
  end

  return entity
end


-- Parses and finishes a copy of one entity in isolation. Raises the errors that Kong's code raises. If Kong
-- refuses the entity, returns Kong's message, and true if Kong's code cannot list the individual errors.
-- References are removed, and Kong's errors about their absence ignored, because Kong's code raises an error
-- for plugins with a dangling reference.
function _M.alone(kind, entity)
  local copy, left_out = cycle_aware_deep_copy(entity), {}
  for name, field in kong.db[kind].schema:each_field() do
    if field.type == "foreign" then
      copy[name] = nil
      left_out[name] = true
    end
  end

  local input = { _format_version = "3.0", [kind] = { copy } }
  local entities, refused, err = _M.parse(input)
  if not entities then
    local wrong = type(err) == "table" and type(err[kind]) == "table" and err[kind][1]
    if type(wrong) == "table" then
      for name in pairs(left_out) do
        wrong[name] = nil
      end
      if next(wrong) == nil then
        return -- with its references the entity would fail only in finish
      end
    end
    return refused, not pcall(errors.declarative_config_flattened, errors, err, input)
  end
  _M.finish(kind, entities[kind][entity.id])
end


-- Returns a message of Kong as one line of at most 1000 bytes, even if it quotes control characters.
function _M.line(said)
  return (tostring(said):sub(1, 1000):gsub("%s*%c%s*", " "))
end


-- Returns the message of a refusal for an error of Kong's code, without the directories of Kong's files.
function _M.failure(err)
  return "Kong fails to process it: " .. _M.line(err):gsub("%S*/(%S*%.lua:)", "%1")
end


return _M
