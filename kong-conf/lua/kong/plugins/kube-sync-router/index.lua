-- A router with the interface of Kong's (resty.router.router) that asks only the routes that may match a request.
--
-- It holds the routes in slots, by what their expressions say of host and path (key.lua): an exact host, the end
-- of a host, or any host; and for each of them the first element of the path, or any. A request looks in the slots
-- of its host and element. The routes themselves are in routers of Kong, the buckets. A bucket has few routes, of
-- one large slot or of several small ones: a router for each slot would need too much memory. Every bucket compares
-- whole expressions, so a route too many in it changes no result.
--
-- Of the routes that match, Kong takes that of the highest priority, and among equal ones that of the highest id.
-- So does the index.
local key = require "kong.plugins.kube-sync-router.key"

local find, gsub, lower, match, sub = string.find, string.gsub, string.lower, string.match, string.sub
local next, pairs = next, pairs
local setmetatable = setmetatable

-- A bucket of several slots has at most CAPACITY routes. A slot with more than LARGE routes has its own.
local CAPACITY = 16
local LARGE = CAPACITY / 2

-- the key of a slot for any element
local ANY = true

-- The sign for kelvin is the only character beyond ASCII whose lower case is one of ASCII, for Kong's library too.
local KELVIN = "\226\132\170"


local _M = {}
local _MT = { __index = _M }


-- Returns an index whose buckets new_router makes.
function _M.new(new_router)
  return setmetatable({
    new_router = new_router,
    hosts = {},     -- slots by element, by host
    suffixes = {},  -- slots by element, by the end of the host
    others = {},    -- slots by element
    slot_of = {},   -- by id of a route
    priority_of = {},
    buckets = {},   -- a set
    changed = {},   -- the buckets whose fields may differ from those counted
    counts = {},    -- number of buckets, by field
    open = nil,     -- the bucket for the next small slot
  }, _MT)
end


local function new_bucket(self)
  local bucket = { router = self.new_router(CAPACITY), size = 0, highest = 0, fields = {} }
  self.buckets[bucket] = true
  return bucket
end


local function slot_for(self, host, suffix, element)
  local of_name, name
  if host then
    of_name, name = self.hosts, host
  elseif suffix then
    of_name, name = self.suffixes, suffix
  end

  local of_element = self.others
  if of_name then
    of_element = of_name[name] or {}
    of_name[name] = of_element
  end

  element = element or ANY
  local slot = of_element[element]
  if not slot then
    slot = { size = 0, texts = {}, of_name = of_name, name = name, of_element = of_element, element = element }
    of_element[element] = slot
  end

  return slot
end


local function drop_if_unused(slot)
  if slot.size > 0 then
    return
  end

  slot.of_element[slot.element] = nil
  if slot.of_name and not next(slot.of_element) then
    slot.of_name[slot.name] = nil
  end
end


local function put(self, bucket, id, text)
  local priority = self.priority_of[id]
  local ok, err = bucket.router:add_matcher(priority, id, text)
  if not ok then
    return nil, err
  end

  bucket.size = bucket.size + 1
  if priority > bucket.highest then
    bucket.highest = priority
  end
  self.changed[bucket] = true
  return true
end


local function drop_if_empty(self, bucket)
  if bucket.size == 0 then
    self.buckets[bucket] = nil
    self.open = self.open ~= bucket and self.open or nil
  end
end


local function take(self, bucket, id)
  local removed = bucket.router:remove_matcher(id)
  bucket.size = bucket.size - 1
  self.changed[bucket] = true
  if not bucket.own and self.open and self.open.size > bucket.size then
    self.open = bucket
  end

  drop_if_empty(self, bucket)
  return removed
end


-- Returns a bucket with room for a slot and another route of it.
local function roomy_bucket(self, slot)
  if slot.size >= LARGE then
    local bucket = new_bucket(self)
    bucket.own = true
    return bucket
  end

  if not self.open or self.open.size + slot.size >= CAPACITY then
    self.open = new_bucket(self)
  end
  return self.open
end


-- Makes room for another route in the bucket of a slot. The slot may move to another bucket.
local function make_room(self, slot)
  local former = slot.bucket
  if former and (former.own or former.size < CAPACITY and slot.size < LARGE) then
    return
  end

  slot.bucket = roomy_bucket(self, slot)
  for id, text in pairs(slot.texts) do
    take(self, former, id)
    assert(put(self, slot.bucket, id, text))
  end
end


function _M:add_matcher(priority, id, text)
  id = lower(id)
  if self.slot_of[id] then
    return nil, "UUID already exists"
  end

  local slot = slot_for(self, key.of(text))
  make_room(self, slot)
  self.priority_of[id] = priority
  local ok, err = put(self, slot.bucket, id, text)
  if not ok then
    self.priority_of[id] = nil
    drop_if_empty(self, slot.bucket)
    drop_if_unused(slot)
    return nil, err
  end

  slot.size = slot.size + 1
  slot.texts[id] = text
  self.slot_of[id] = slot
  return true
end


function _M:remove_matcher(id)
  id = lower(id)
  local slot = self.slot_of[id]
  if not slot then
    return false
  end

  local removed = take(self, slot.bucket, id)
  self.slot_of[id], self.priority_of[id], slot.texts[id] = nil, nil, nil
  slot.size = slot.size - 1
  drop_if_unused(slot)
  return removed
end


-- The buckets that the current request asks. No function of a router yields, so all requests share them.
local asked, number = {}, 0


local function ask(slot)
  if not slot then
    return
  end

  local bucket = slot.bucket
  for i = 1, number do
    if asked[i] == bucket then
      return
    end
  end
  number = number + 1
  asked[number] = bucket
end


local function ask_slots(of_element, element)
  if of_element then
    ask(of_element[element])
    ask(of_element[ANY])
  end
end


local function ask_all(self)
  for bucket in pairs(self.buckets) do
    number = number + 1
    asked[number] = bucket
  end
end


-- Collects the buckets of the slots that may have a request's route.
local function collect(self, params)
  number = 0
  if not params then
    return ask_all(self)
  end

  local host = lower(gsub(params.host, KELVIN, "k"))
  local element = match(params.uri, "^/([^/]*)")
  ask_slots(self.hosts[host], element)

  if next(self.suffixes) then
    local dot = find(host, ".", -key.LONGEST_SUFFIX, true)
    while dot do
      ask_slots(self.suffixes[sub(host, dot)], element)
      dot = find(host, ".", dot + 1, true)
    end
  end

  ask_slots(self.others, element)
end


-- Puts the route of a request into the context, as Kong's router does. Returns whether there is one.
function _M:execute(context)
  collect(self, context.kube_sync_params)
  if number == 1 then
    return asked[1].router:execute(context)
  end

  local best, best_priority, best_id, last
  for i = 1, number do
    local bucket = asked[i]
    if (not best or bucket.highest >= best_priority) and bucket.router:execute(context) then
      local id = context:get_result()
      local priority = self.priority_of[id]
      if not best or priority > best_priority or priority == best_priority and id > best_id then
        best, best_priority, best_id = bucket, priority, id
      end
      last = bucket
    end
  end

  -- The context has the route that matched last.
  if last ~= best then
    best.router:execute(context)
  end

  return best ~= nil
end


local function count(self, fields, by)
  for i = 1, #fields do
    local field = fields[i]
    local n = (self.counts[field] or 0) + by
    self.counts[field] = n > 0 and n or nil
  end
end


-- Returns the names of all fields in the expressions, sorted.
function _M:get_fields()
  for bucket in pairs(self.changed) do
    count(self, bucket.fields, -1)
    bucket.fields = bucket.router:get_fields()
    count(self, bucket.fields, 1)
  end
  self.changed = {}

  local fields = {}
  for field in pairs(self.counts) do
    fields[#fields + 1] = field
  end
  table.sort(fields)
  return fields
end


return _M
