-- Where a plugin's configuration refers to a vault's secret and there is none, Kong goes
-- on with an empty text, by which anybody can sign. Here such a request is answered 503.
local NONE = {}
local MESSAGE = "a secret of a plugin that protects this is not available"


local _M = {}


-- The references of configurations, each as the keys that lead there. Nothing in them
-- refers to a configuration, or none would ever be collected.
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
  local update = kong.vault.update

  -- called with each plugin's configuration before the plugin is, in the phase in which
  -- Kong has an answer wait for the other plugins
  kong.vault.update = function(config)
    local updated = update(config)
    if ngx.get_phase() == "access" and type(config) == "table" and missing(config) then
      local ctx = ngx.ctx
      ctx.delayed_response = ctx.delayed_response or { status_code = 503, content = { message = MESSAGE } }
    end

    return updated
  end
end


return _M
