-- Counters of several owners in one shared dictionary, of which each owner keeps an equal share.
-- Kong's dictionary evicts what was used least when it is full, whose ever it is. Here a new
-- counter that finds no memory takes it from the owner that has the most counters: first those
-- whose time is over, and then its oldest. So one who has less than an equal share loses none
-- because of another, and one who is alone has all of the memory.
--
-- All keys have bounded sizes. A counter takes two places in the dictionary: itself, and an
-- entry in a queue of its owner and period. Those of a queue live equally long, so that they
-- end in its order. What is taken out of queues is under a lock; what is first in a queue is in
-- a place of its own, as lists of shared dictionaries do not show it.
local ngx = ngx
local sha1 = ngx.sha1_bin
local sub = string.sub

local _M = {}
local methods = { __index = {} }

-- How long the counters of a period are read, in seconds. Their time is a calendar's.
local LIFETIMES = { second = 1, minute = 60, hour = 3600, day = 86400, month = 31 * 86400, year = 366 * 86400 }

-- Each period by a byte in keys.
local PERIODS = { second = "s", minute = "m", hour = "h", day = "d", month = "M", year = "y" }

local NONE = string.rep("\0", 20) -- of the size of a key, so that it is written in place
local BATCH = 16
local TRIES = 100
local PAUSE = 0.001 -- seconds, and with each try as much more; longer than STALE in all
local STALE = 1 -- seconds


-- dict is for counters of this module alone.
function _M.new(dict)
  dict:safe_add("lock", 0)
  dict:safe_add("turns", 0)
  dict:safe_add("owners", 0)
  return setmetatable({ dict = dict, known = {} }, methods)
end


-- The turn that this worker found the lock taken in, and since when.
local taken, since


-- Takes the lock if it is free. It is held for less than a millisecond, without a pause. Each
-- time that it is taken or given back is a turn: one that lasts is of a worker that has ended.
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


-- The first key of a queue, under the lock.
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


-- Frees what counters take whose time is over, of one queue and under the lock.
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


-- The owner with the most counters, and the longest of its queues.
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


-- Calls a function that writes, until there is memory for it.
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


-- The id of an owner. For a new one there is all that its queues need.
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


-- A counter is one of an owner, for a period that began at a date in milliseconds. Nil if there
-- is none, or if its time is over.
function methods.__index:get(owner, period, date, name)
  return self.dict:get(key_of(owner, period, date, name))
end


-- Adds to a counter, which there is afterwards. It may yield.
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
