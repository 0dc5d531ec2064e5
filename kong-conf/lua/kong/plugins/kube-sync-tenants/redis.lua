-- The plugins that count in Redis keep connections in pools that are named by host and port,
-- and never forget the name of a pool that was for a numbered database: after one plugin with
-- such a database all others get connections to that plugin's server. A connection also stays
-- logged in for a plugin that has no password. Here a pool is for one server, account and
-- database, and so is what is counted between two synchronizations.
--
-- Of Kong it takes get_redis_connection(conf), which calls connect of resty.redis before it
-- yields, and get_db_key(conf) from upvalues of the policies.
local upvalue = require "kong.plugins.kube-sync-delta.upvalue"

local concat = table.concat
local debug = debug
local pairs = pairs
local pcall = pcall
local require = require
local tostring = tostring
local type = type
local md5 = ngx.md5

local _M = {}

local MODULES = { "kong.plugins.rate-limiting.policies", "kong.plugins.response-ratelimiting.policies" }


local function account(conf)
  local redis = conf.redis
  return md5(concat({
    tostring(redis.host), tostring(redis.port), tostring(redis.database), tostring(redis.username),
    tostring(redis.password), tostring(redis.ssl), tostring(redis.ssl_verify), tostring(redis.server_name),
  }, "\n"))
end


-- The pool of the connection that is about to be made.
local pool


local function separate(policy)
  local get, at = upvalue(policy.usage, "get_redis_connection")
  if type(get) ~= "function" then
    return false
  end

  -- Another function of the module that has it shares the upvalue.
  debug.setupvalue(policy.usage, at, function(conf)
    pool = account(conf)
    return get(conf)
  end)

  local _, counters = upvalue(policy.usage, "get_db_key")
  if counters then
    debug.setupvalue(policy.usage, counters, account)
  end

  return true
end


-- Returns what is wrong with this Kong, or nil.
function _M.split()
  local ok, redis = pcall(require, "resty.redis")
  local connect = ok and redis.connect
  if type(connect) ~= "function" then
    return "Kong connects to Redis in another way"
  end

  for _, name in pairs(MODULES) do
    local found, policies = pcall(require, name)
    if not (found and policies.redis and type(policies.redis.usage) == "function" and separate(policies.redis)) then
      return name .. " connects to Redis in another way"
    end
  end

  function redis.connect(self, host, port, opts)
    local name = pool
    pool = nil
    if not name then
      return connect(self, host, port, opts)
    end

    local own = { pool = name }
    for key, value in pairs(opts or {}) do
      if key ~= "pool" then
        own[key] = value
      end
    end

    return connect(self, host, port, own)
  end
end


return _M
