-- Writes into response headers which plugins ran, and which endpoint was chosen. Requests end before Kong connects to it.
local runloop = require "kong.runloop.handler"

local concat = table.concat
local ipairs = ipairs
local kong = kong
local ngx = ngx

local Observe = { PRIORITY = -100000, VERSION = "1.0.0" }


local function note(list, name)
  local ctx = ngx.ctx
  ctx[list] = ctx[list] or {}
  local noted = ctx[list]
  noted[#noted + 1] = name
end


local function wrap(plugin, phase, list)
  local handler = plugin.handler
  local run = handler[phase]
  handler[phase] = function(self, conf)
    note(list, plugin.name .. ":" .. (conf and conf.__plugin_id or ""))
    return run(self, conf)
  end
end


-- Streams have no headers: Kong's log says which route and endpoint a connection has.
local function observe_streams()
  local preread = runloop.preread.after
  runloop.preread.after = function(ctx)
    preread(ctx)
    local chosen = ctx.balancer_data
    ngx.log(ngx.WARN, "observed ", ctx.route.id, " ", chosen.ip, ":", chosen.port, " end")
    return ngx.exit(200)
  end
end


function Observe.init_worker()
  if ngx.config.subsystem == "stream" then
    return observe_streams()
  end

  for _, plugin in ipairs(kong.db.plugins:get_handlers()) do
    if plugin.handler.access then
      wrap(plugin, "access", "observed_access")
    elseif plugin.handler.header_filter then
      wrap(plugin, "header_filter", "observed_later")
    end
  end

  local access = runloop.access.after
  runloop.access.after = function(ctx)
    access(ctx)
    local chosen = ctx.balancer_data
    ngx.header["Observed-Upstream"] = chosen.host
    ngx.header["Observed-Endpoint"] = (chosen.ip or "") .. ":" .. (chosen.port or "")
    return kong.response.exit(200, "observed")
  end

  local header_filter = runloop.header_filter.after
  runloop.header_filter.after = function(ctx)
    header_filter(ctx)
    ngx.header["Observed-Access"] = concat(ctx.observed_access or {}, " ")
    ngx.header["Observed-Later"] = concat(ctx.observed_later or {}, " ")
  end
end


return Observe
