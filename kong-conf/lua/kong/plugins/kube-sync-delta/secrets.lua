-- If a plugin's configuration refers to a secret that no vault has, Kong uses an empty string, with
-- which anyone can sign. Here such a request is answered with 503.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/secrets")


local NONE = {}
local MESSAGE = "a secret of a plugin that protects this route is unavailable"


local _M = {}


-- Per configuration: the paths (lists of keys) that lead to its references. A path must not hold the
-- configuration itself, or the weak key would never be collected.
local known = setmetatable({}, { __mode = "k" })


local function below(path, key)
  local longer = { unpack(path) }
  longer[#longer + 1] = key
  return longer
end


local function collect(config, path, found)
  for key, value in pairs(config) do
    if key ~= "$refs" and type(value) == "table" then
      collect(value, below(path, key), found)
    end
  end

  for field, reference in pairs(config["$refs"] or NONE) do
    if type(reference) == "string" then
      found[#found + 1] = below(path, field)

    else
      for key in pairs(reference) do
        found[#found + 1] = below(below(path, field), key)
      end
    end
  end

  return found
end


local function references(config)
  local found = known[config]
  if not found then
    found = collect(config, {}, {})
    found = found[1] and found or NONE
    known[config] = found
  end

  return found
end


local function missing(config)
  for _, path in ipairs(references(config)) do
    local value = config
    for _, key in ipairs(path) do
      value = type(value) == "table" and value[key]
    end
    if value == "" then
      return true
    end
  end
end


function _M.init_worker()
  local problem = internals.problem()
  if problem then
    kong.log.crit("a plugin whose secret is missing works with an empty one: ", problem)
    return
  end

  -- Kong calls it with the configuration of each plugin, before the plugin. In the phase access it
  -- sends a delayed response when all plugins have run.
  internals.replace("PDK", "vault.update", function(update)
    return function(config)
      local updated = update(config)
      if ngx.get_phase() == "access" and type(config) == "table" and missing(config) then
        local ctx = ngx.ctx
        ctx.delayed_response = ctx.delayed_response or { status_code = 503, content = { message = MESSAGE } }
      end

      return updated
    end
  end)
end


return _M
