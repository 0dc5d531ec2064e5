-- Counters of several owners in one shared dictionary, in which each owner keeps an equal share. A full
-- dictionary evicts the least recently used entry of any owner. Here a new counter that finds no memory
-- takes it from the owner with the most counters: first from expired counters, then from the oldest. So an
-- owner below an equal share loses nothing to another, and a single owner has all of the memory.
--
-- All keys have bounded sizes. A counter takes two entries in the dictionary: itself, and an element in a
-- queue of its owner and period. The elements of a queue live equally long, so they expire in its order.
-- A lock guards removal from queues. The first element of a queue is an entry of its own, because the
-- first element of a list in a shared dictionary cannot be read without its removal.
local ngx = ngx
local sha1 = ngx.sha1_bin
local sub = string.sub

local _M = {}
local methods = { __index = {} }

-- How long counters of a period are read, in seconds. Periods are calendar periods.
local LIFETIMES = { second = 1, minute = 60, hour = 3600, day = 86400, month = 31 * 86400, year = 366 * 86400 }

-- The byte for each period in keys.
local PERIODS = { second = "s", minute = "m", hour = "h", day = "d", month = "M", year = "y" }

local NONE = string.rep("\0", 20) -- as long as a key, so that it is overwritten in place
local BATCH = 16
local TRIES = 100
local PAUSE = 0.001 -- seconds, and as many more with each try; in all longer than STALE
local STALE = 1 -- seconds


-- The dictionary must hold counters of this module only.
function _M.new(dict)
  dict:safe_add("lock", 0)
  dict:safe_add("turns", 0)
  dict:safe_add("owners", 0)
  return setmetatable({ dict = dict, known = {} }, methods)
end


-- The turn in which this worker found the lock taken, and since when.
local taken, since


-- Takes the lock if it is free. A worker holds it for less than a millisecond, and does not yield. A turn ends
-- whenever the lock is taken or released: a turn that lasts belongs to a worker that has ended.
local function lock(dict)
  if dict:incr("lock", 1) == 1 then
    dict:incr("turns", 1)
    return true
  end

  dict:incr("lock", -1)
  local turn, now = dict:get("turns"), ngx.now()
  if turn ~= taken then
    taken, since = turn, now
  elseif now - since > STALE then
    dict:set("lock", 0)
    taken = nil
  end
end


local function unlock(dict)
  dict:incr("turns", 1)
  dict:incr("lock", -1)
end


-- Returns the first key of a queue, under the lock.
local function first(dict, queue)
  local key = dict:get("f" .. queue)
  if key and key ~= NONE then
    return key
  end

  key = dict:lpop(queue)
  if key then
    dict:set("f" .. queue, key)
  end
  return key
end


local function drop(dict, queue, key)
  dict:set("f" .. queue, NONE)
  dict:delete(key)
end


-- Frees expired counters of one queue, under the lock.
local function reclaim(dict, queue, most)
  local n = 0
  while n < most do
    local key = first(dict, queue)
    if not key or dict:get(key) then
      break
    end

    drop(dict, queue, key)
    n = n + 1
  end
  return n
end


-- Returns the owner with the most counters, and its longest queue.
local function largest(dict)
  local most, owner, queue = -1, nil, nil
  for i = 1, dict:get("owners") do
    local id = dict:get("o" .. i)
    local sum, longest, of = 0, -1, nil
    for _, period in pairs(id and PERIODS or {}) do
      local n = dict:llen(id .. period) or 0
      sum = sum + n
      if n > longest then
        longest, of = n, id .. period
      end
    end

    if id and sum > most then
      most, owner, queue = sum, id, of
    end
  end

  return owner, queue
end


local function free(dict)
  local owner, queue = largest(dict)
  local n = 0
  for _, period in pairs(owner and PERIODS or {}) do
    n = n + reclaim(dict, owner .. period, BATCH)
  end

  while owner and n < BATCH do
    local key = first(dict, queue)
    if not key then
      break
    end

    drop(dict, queue, key)
    n = n + 1
  end
end


-- Calls a function that writes until there is enough memory for it.
local function write(dict, fn, ...)
  local done, err
  for try = 1, TRIES do
    done, err = fn(dict, ...)
    if done or err ~= "no memory" then
      break
    end

    if lock(dict) then
      free(dict)
      unlock(dict)

    else
      ngx.sleep(PAUSE * try)
    end
  end

  return done, err
end


-- Returns the id of an owner, or nil and an error. For a new one it makes what its queues need.
function methods.__index:owner(name)
  local id = self.known[name]
  if id then
    return id
  end

  local dict = self.dict
  id = sub(sha1(name), 1, 16)
  for _, period in pairs(PERIODS) do
    local done, err = write(dict, dict.safe_add, "f" .. id .. period, NONE)
    if not done and err ~= "exists" then
      return nil, err
    end
  end

  local done, err = write(dict, dict.safe_add, "k" .. id, true)
  if done then
    done, err = write(dict, dict.safe_set, "o" .. dict:incr("owners", 1), id)
  end
  if not done and err ~= "exists" then
    dict:delete("k" .. id)
    return nil, err
  end

  self.known[name] = id
  return id
end


local function key_of(owner, period, date, name)
  return sha1(owner .. "\0" .. period .. "\0" .. date .. "\0" .. name)
end


-- Returns the counter of an owner for a period that began at a date in milliseconds, or nil if it does not exist
-- or has expired.
function methods.__index:get(owner, period, date, name)
  return self.dict:get(key_of(owner, period, date, name))
end


-- Adds to a counter, creates it if needed, and returns the sum, or nil and an error. It may yield.
function methods.__index:add(owner, period, date, name, value)
  local dict = self.dict
  local key = key_of(owner, period, date, name)
  local sum, err = dict:incr(key, value)
  if sum or err ~= "not found" then
    return sum, err
  end

  local id
  id, err = self:owner(owner)
  if not id then
    return nil, err
  end

  local left = date / 1000 + LIFETIMES[period] - ngx.time()
  local done
  done, err = write(dict, dict.safe_add, key, value, left > 1 and left or 1)
  if err == "exists" then
    return dict:incr(key, value)
  end
  if not done then
    return nil, err
  end

  local queue = id .. PERIODS[period]
  done, err = write(dict, dict.rpush, queue, key)
  if not done then
    dict:delete(key)
    return nil, err
  end

  if lock(dict) then
    reclaim(dict, queue, 2)
    unlock(dict)
  end
  return value
end


return _M
