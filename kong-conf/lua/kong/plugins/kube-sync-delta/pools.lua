-- Kong pools connections by address and, for HTTPS, by server name and client certificate. It ignores
-- whether they speak HTTP/2, and what verified the endpoint. Here protocols do not share connections,
-- nor do services with different TLS settings. When an authority or a client certificate changes, all
-- services make new connections. Routes of different namespaces do not share connections either, so
-- that a request to another namespace's endpoint leaves nothing behind for that namespace's requests.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")
local namespace_of = require "kong.kube_sync.namespace"


local _M = {}


local age = 0
-- The part of a pool's name that a service adds, by service.
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

  internals.replace("kong", "balancer>set_current_peer", function(set_current_peer)
    return function(address, port, options)
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
    end
  end)
end


return _M
