-- The plugins that count in Redis name connection pools after host and port, and keep the name of the pool for a
-- numbered database: after one plugin with such a database, all others get connections to its server. A
-- connection also stays logged in for a plugin without a password. Here a pool is for one server, account and
-- database, and so are the counters between two synchronizations.
--
-- Kong's function get_redis_connection calls connect of resty.redis before it yields.
local internals = require("kong.kube_sync.internals").of("kube-sync-tenants/redis")

local concat = table.concat
local pairs = pairs
local tostring = tostring
local md5 = ngx.md5

local _M = {}


local function account(conf)
  local redis = conf.redis
  return md5(concat({
    tostring(redis.host), tostring(redis.port), tostring(redis.database), tostring(redis.username),
    tostring(redis.password), tostring(redis.ssl), tostring(redis.ssl_verify), tostring(redis.server_name),
  }, "\n"))
end


-- The pool of the next connection.
local pool


local function with_pool(get)
  return function(conf)
    pool = account(conf)
    return get(conf)
  end
end


local function pooled(connect)
  return function(self, host, port, opts)
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


-- Returns what is wrong with this Kong, or nil.
function _M.install()
  local problem = internals.problem()
  if problem then
    return problem
  end

  -- The other functions of each module share these upvalues.
  internals.replace("kong.plugins.rate-limiting.policies", "redis.usage>get_redis_connection", with_pool)
  internals.replace("kong.plugins.rate-limiting.policies", "redis.usage>get_db_key", function() return account end)
  internals.replace("kong.plugins.response-ratelimiting.policies", "redis.usage>get_redis_connection", with_pool)
  internals.replace("resty.redis", "connect", pooled)
end


return _M
