-- A resumed TLS session asks for no certificate. OpenSSL resumes only sessions of the same context, and looks
-- for them after this hook. So at the ports that ask for certificates, sessions of other ports, and from
-- before a Gateway asked for certificates, are not resumed.
local ffi = require "ffi"
local internals = require("kong.kube_sync.internals").of("kube-sync-mtls/sessions")
local ssl = require "ngx.ssl"
local validation = require "kong.plugins.kube-sync-mtls.validation"

internals.module("resty.openssl.include.ssl") -- declares the type SSL

local tls = internals.module("resty.kong.tls")

ffi.cdef([[
  int SSL_set_session_id_context(SSL *ssl, const unsigned char *context, unsigned int length);
]])

local CONTEXT = "kube-sync-mtls"

local C = ffi.C
local kong = kong
local sessions = {}

-- The configuration of the newest connection or request.
local current


local function client_hello()
  if validation.at(current, ssl.server_port()) then
    assert(C.SSL_set_session_id_context(tls.get_request_ssl_pointer(), CONTEXT, #CONTEXT) == 1)
  end
end


-- Kong runs no plugins at the start of a handshake, so this wraps Kong's own function. Without it, clients that
-- resume a session would be refused, and some clients use a session for as long as it is valid.
local function hook()
  local problem = internals.problem()
  if problem then
    kong.log.crit("clients that resume a TLS session are refused where a certificate is required: ", problem)
    return
  end

  internals.replace("kong", "ssl_client_hello", function(ssl_client_hello)
    return function()
      ssl_client_hello()
      return client_hello()
    end
  end)
end


function sessions.watch(conf)
  if not current then
    hook()
  end
  current = conf
end


return sessions
