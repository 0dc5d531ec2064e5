-- Turns a delta into the entities to store. Kong's schema of declarative configurations validates and
-- completes them. This file checks what that schema cannot see: whether the delta fits the stored entities.
-- If Kong's code raises an error over an entity instead of refusing it, the refusal names that entity, too.
local complete = require "kong.plugins.kube-sync-delta.complete"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")

local declarative = internals.module("kong.db.declarative")
local errors = internals.module("kong.db.errors")
local lmdb = internals.module("resty.lmdb")
local prefix = internals.module("resty.lmdb.prefix")
local unmarshall = internals.module("kong.db.declarative.marshaller").unmarshall


local null = ngx.null

local MOST_ERRORS = 20 -- of an entity in a refusal


local _M = {}


-- Returns the entity as it is stored: with its nulls, and with unresolved references to vaults.
-- Only these lead to the index keys that were written.
function _M.stored(kind, id)
  local key = lmdb.get(declarative.item_key(kind, "*", id))
  return key and unmarshall(lmdb.get(key))
end


-- Returns the ids of the stored entities of a kind whose field refers to the id.
function _M.referrers(kind, field, id)
  local start = declarative.foreign_field_key_prefix(kind, "*", field, id)
  local ids, from = {}, start
  repeat
    local page, more = assert(prefix.page(from, start, nil, 1000))
    for _, entry in ipairs(page) do
      ids[#ids + 1] = entry.key:sub(#start + 1)
      from = entry.key .. "\x00"
    end
  until not more or #page == 0

  return ids
end


local function each_foreign(kind)
  local foreign = {}
  for name, field in kong.db[kind].schema:each_field() do
    if field.type == "foreign" then
      foreign[name] = field.reference
    end
  end

  return pairs(foreign)
end


local function row(rows, kind, entity, kind_of_error, message, rival)
  rows[#rows + 1] = {
    entity_type = kind:gsub("s$", ""),
    entity_id = entity.id,
    entity_name = type(entity.name) == "string" and entity.name or nil,
    entity_tags = type(entity.tags) == "table" and entity.tags or nil,
    entity = entity,
    rival_id = rival,
    errors = { { type = kind_of_error, message = message } },
  }
end


-- Shortens the body of a refusal. Kong repeats each entity in it, with all of its errors, of which
-- there may be a hundred thousand.
local function brief(refused)
  for _, found in ipairs(refused.flattened_errors) do
    found.entity = nil
    for i = #found.errors, MOST_ERRORS + 1, -1 do
      found.errors[i] = nil
    end
  end

  return refused
end


local function refusal(rows)
  local refused = errors:declarative_config({})
  refused.flattened_errors = rows
  return brief(refused)
end


-- Calls a function for an entity. If it raises an error, the refusal names the entity.
local function guarded(rows, kind, entity, fn, ...)
  local ok, result, more = pcall(fn, ...)
  if ok then
    return result, more
  end

  local failure = complete.failure(result)
  kong.log.err(kind, " ", entity.id, ": ", failure)
  row(rows, kind, entity, "entity", failure)
end


local function malformed(delta)
  for _, field in ipairs({ "base", "hash" }) do
    if type(delta[field]) ~= "string" or not delta[field]:find("^%x+$") or #delta[field] ~= 32 then
      return field .. ": expected 32 hexadecimal digits"
    end
  end

  for _, field in ipairs({ "upserts", "deletes" }) do
    if delta[field] ~= nil and type(delta[field]) ~= "table" then
      return field .. ": expected " .. (field == "upserts" and "an object" or "an array")
    end
  end
end


-- Indexes the delta: upserts[kind][id] = entity, deletes[kind][id] = stored entity or true. Returns
-- nil and what is wrong if the delta is malformed. Entities of an unknown kind, and the second of two
-- entities with one id, go into the rows.
local function index(delta, rows)
  local known = {}
  for _, kind in ipairs(kong.db.declarative_config.schema.known_entities) do
    local primary_key = kong.db[kind] and kong.db[kind].schema.primary_key
    if primary_key and #primary_key == 1 and primary_key[1] == "id" then
      known[kind] = {}
    end
  end

  local upserts, deletes = {}, {}
  for kind in pairs(known) do
    upserts[kind], deletes[kind] = {}, {}
  end

  for kind, entities in pairs(delta.upserts or {}) do
    if type(entities) ~= "table" then
      return nil, "upserts: expected an array of type " .. tostring(kind)
    end

    for _, entity in ipairs(entities) do
      if type(entity) ~= "table" or type(entity.id) ~= "string" then
        return nil, "upserts: " .. kind .. ": an entity has no id"
      end

      if not known[kind] then
        row(rows, kind, entity, "entity", "Kong has no entities of type " .. kind)
      elseif upserts[kind][entity.id] then
        row(rows, kind, entity, "entity", "uniqueness violation: '" .. kind .. "' entity with primary key set to '" ..
            entity.id .. "' already declared")
      else
        upserts[kind][entity.id] = entity
      end
    end
  end

  for _, entity in ipairs(delta.deletes or {}) do
    local kind, id = entity.type, entity.id
    if not known[kind] or type(id) ~= "string" then
      return nil, "deletes: expected objects with a known type and an id"
    end
    if upserts[kind][id] then
      return nil, "deletes: " .. kind .. ": " .. id .. " is among the upserts"
    end
    deletes[kind][id] = _M.stored(kind, id) or true
  end

  return { upserts = upserts, deletes = deletes }
end


-- Kong's schema validates references only within its input. So the stored entities that upserts refer
-- to are added to the input, without references of their own.
local function lend(input, kind, entity)
  local lent = {}
  for name, value in pairs(entity) do
    local field = kong.db[kind].schema.fields[name]
    if field and field.type ~= "foreign" and value ~= null then
      lent[name] = value
    end
  end

  lent.ws_id = nil
  input[kind] = input[kind] or {}
  table.insert(input[kind], lent)
end


local function check_references(changes, kind, entity, input, lent, rows)
  for field, reference in each_foreign(kind) do
    local id = entity[field]
    if type(id) == "string" and not changes.upserts[reference][id] and not lent[reference .. id] then
      local found = not changes.deletes[reference][id] and _M.stored(reference, id)
      if found then
        lend(input, reference, found)
        lent[reference .. id] = true

      else
        row(rows, kind, entity, "entity", "invalid reference '" .. field .. ": " .. id ..
            "' (no such entry in '" .. reference .. "')")
      end
    end
  end
end


local function check_unique(changes, kind, entity, claimed, rows)
  for name, field in kong.db[kind].schema:each_field() do
    local value = field.unique and entity[name]
    if type(value) == "string" then
      local claim = kind .. "|" .. name .. "|" .. value
      local key = not claimed[claim] and lmdb.get(declarative.unique_field_key(kind, "*", name, value))
      local owner = key and unmarshall(lmdb.get(key))
      local id = owner and owner.id

      -- If the owner changes too, it no longer has the value, or is found in claimed.
      local stays = id and id ~= entity.id and not changes.deletes[kind][id] and not changes.upserts[kind][id]
      if claimed[claim] or stays then
        row(rows, kind, entity, "entity", "uniqueness violation: '" .. kind .. "' entity with " ..
            name .. " set to '" .. value .. "' already declared", claimed[claim] or id)
      end

      claimed[claim] = claimed[claim] or entity.id
    end
  end
end


local function check_deletes(changes, rows)
  for kind in pairs(changes.deletes) do
    for field, reference in each_foreign(kind) do
      for id, gone in pairs(changes.deletes[reference]) do
        for _, referrer in ipairs(_M.referrers(kind, field, id)) do
          local upsert = changes.upserts[kind][referrer]
          if not changes.deletes[kind][referrer] and (not upsert or upsert[field] == id) then
            row(rows, reference, gone == true and { id = id } or gone, "entity",
                "cannot be deleted: " .. field .. " of " .. referrer .. " in '" .. kind .. "' refers to it")
            break
          end
        end
      end
    end
  end
end


-- Returns the entities as Kong's schema completes them, by kind and id, or nil and a refusal.
local function validated(changes, input, rows)
  local ok, entities, _, err = pcall(complete.parse, input)
  if ok and entities then
    return entities
  end

  if ok then
    local refused
    ok, refused = pcall(errors.declarative_config_flattened, errors, err, input)
    if ok then
      return nil, brief(refused)
    end
    entities = refused
  end

  -- an error was raised by the schema, or by Kong's code that lists the schema's errors
  for kind, upserts in pairs(changes.upserts) do
    for _, entity in pairs(upserts) do
      local refused = guarded(rows, kind, entity, complete.alone, kind, entity)
      if refused then
        row(rows, kind, entity, "entity", complete.line(refused))
      end
    end
  end

  if not rows[1] then
    error(entities, 0)
  end
  return nil, refusal(rows)
end


-- Returns { upserts = {kind = {id = entity to store}}, deletes = {kind = {id = stored
-- entity}}, old = {kind = {id = stored entity that an upsert replaces}} }, or nil and
-- the body of the refusal.
function _M.changes(delta)
  local wrong = malformed(delta)
  local changes
  local rows = {}
  if not wrong then
    changes, wrong = index(delta, rows)
  end
  if wrong then
    return nil, { message = "malformed delta: " .. wrong }
  end

  local input = { _format_version = "3.0" }
  local claimed, lent, old = {}, {}, {}
  for kind, entities in pairs(changes.upserts) do
    old[kind] = {}
    for id, entity in pairs(entities) do
      old[kind][id] = _M.stored(kind, id)
      if entity.created_at == nil and old[kind][id] then
        entity.created_at = old[kind][id].created_at
      end

      input[kind] = input[kind] or {}
      table.insert(input[kind], entity)
      guarded(rows, kind, entity, check_references, changes, kind, entity, input, lent, rows)
      guarded(rows, kind, entity, check_unique, changes, kind, entity, claimed, rows)
    end
  end

  check_deletes(changes, rows)
  if rows[1] then
    return nil, refusal(rows)
  end

  local entities, refused = validated(changes, input, rows)
  if not entities then
    return nil, refused
  end

  for kind, upserts in pairs(changes.upserts) do
    for id, entity in pairs(upserts) do
      upserts[id] = guarded(rows, kind, entity, complete.finish, kind, entities[kind][id])
    end
    for id, gone in pairs(changes.deletes[kind]) do
      changes.deletes[kind][id] = gone ~= true and gone or nil
    end
  end

  if rows[1] then
    return nil, refusal(rows)
  end

  changes.old = old
  return changes
end


-- Checks each upsert of a delta by itself, apart from the others and from the stored entities. Returns
-- a refusal that names the entities over which Kong's code raises an error, or nil.
function _M.failures(delta)
  local rows = {}
  local changes, wrong = index({ upserts = delta.upserts }, rows)
  if wrong then
    return { message = "malformed delta: " .. wrong }
  end

  for kind, entities in pairs(changes.upserts) do
    for _, entity in pairs(entities) do
      local refused, unlisted = guarded(rows, kind, entity, complete.alone, kind, entity)
      if unlisted then
        row(rows, kind, entity, "entity", complete.line(refused))
      end
    end
  end

  return rows[1] and refusal(rows)
end


return _M
