-- Kong keeps connections to endpoints for requests to the same address and, of HTTPS,
-- with the same server name and client certificate: not by whether they are of HTTP/2, nor
-- by what the endpoint was verified by. Here neither protocols nor services whose settings
-- of TLS differ share connections, and when what they trust or show is replaced, everybody
-- makes new ones. Nor do the routes of different namespaces: whoever leads a route to another
-- namespace's endpoint cannot leave something behind on a connection that its requests use.
local internals = require "kong.plugins.kube-sync-delta.internals"
local namespace_of = require "kong.plugins.kube-sync-request.namespace"


local _M = {}


local age = 0
-- What tells the connections of a service apart, as long as the service is the same.
local marks


local function mark_of(service)
  local authorities, certificate = service.ca_certificates, service.client_certificate
  return table.concat({
    age,
    tostring(service.tls_verify),
    tostring(service.tls_verify_depth),
    type(authorities) == "table" and table.concat(authorities, " ") or "",
    type(certificate) == "table" and certificate.id or "",
  }, "|")
end


function _M.renew()
  age = age + 1
  marks = setmetatable({}, { __mode = "k" })
end


function _M.init_worker()
  _M.renew()

  local set_current_peer = internals.peer()
  internals.peer(function(address, port, options)
    local ctx = ngx.ctx
    local scheme = ctx.balancer_data.scheme
    if options then
      local route = ctx.route
      options.pool = options.pool .. "|" .. scheme .. "|" .. (route and namespace_of(route) or "")

      local service = scheme ~= "http" and ctx.service
      if service and scheme ~= "grpc" then
        marks[service] = marks[service] or mark_of(service)
        options.pool = options.pool .. "|" .. ngx.var.upstream_host .. "|" .. marks[service]
      end
    end

    return set_current_peer(address, port, options)
  end)
end


return _M
