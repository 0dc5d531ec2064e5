-- Runs the filters of a rule, or of one of its backends.
local redirect = require "kong.plugins.kube-sync-http.redirect"
local replaced = require "kong.plugins.kube-sync-http.path"

local gsub = string.gsub
local ngx = ngx
local kong = kong
local chain = {}


-- To HTTP/2 backends nginx sends its own copy of the path, which it encodes again. That would turn an encoded
-- slash into a plain one.
local function set_path(path)
  kong.service.request.set_path(path)
  if ngx.var.kong_proxy_mode == "grpc" then
    ngx.req.set_uri(ngx.unescape_uri((gsub(path, "+", "%%2B"))), false, true)
  end
end


local function change(conf, set, add, clear)
  for _, header in ipairs(conf.set or {}) do
    set(header.name, header.value)
  end
  for _, header in ipairs(conf.add or {}) do
    add(header.name, header.value)
  end
  for _, name in ipairs(conf.remove or {}) do
    clear(name)
  end
end


function chain.request(conf)
  if conf.redirect then
    return redirect(conf.redirect)
  end
  local service = kong.service.request
  if conf.request then
    change(conf.request, service.set_header, service.add_header, service.clear_header)
  end
  local rewrite = conf.rewrite
  if rewrite and rewrite.path then
    set_path(replaced(rewrite.path, kong.request.get_path()))
  end
  if rewrite and rewrite.host then
    service.set_header("host", rewrite.host)
  end
end


function chain.response(conf)
  if conf.response then
    change(conf.response, kong.response.set_header, kong.response.add_header, kong.response.clear_header)
  end
end


return chain
