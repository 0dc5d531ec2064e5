-- What of a TLS handshake neither Kong nor nginx has a word for, in OpenSSL's.
require "resty.openssl.include.ssl" -- declares most of it

local ffi = require "ffi"
local ssl = require "ngx.ssl"
local tls = require "resty.kong.tls"
local validation = require "kong.plugins.kube-sync-mtls.validation"

ffi.cdef([[
  int SSL_set_session_id_context(SSL *ssl, const unsigned char *context, unsigned int length);
]])

local VERIFY_PEER_OR_FAIL = 3
local CTRL_SET_VERIFY_CERT_STORE = 106
local SHARED = 1 -- the store stays ours
local CONTEXT = "kube-sync-mtls"

-- How many authorities there may be between a client and one that is trusted.
local DEPTH = 10

local C = ffi.C
local handshake = {}

-- Has the client asked for a certificate and, if it is required, fail without a good one.
function handshake.ask(here)
  assert(tls.disable_session_reuse())
  assert(ssl.verify_client(here.hints, DEPTH))
  if here.required then
    local connection = tls.get_request_ssl_pointer()
    assert(C.SSL_ctrl(connection, CTRL_SET_VERIFY_CERT_STORE, SHARED, here.store.ctx) == 1)
    C.SSL_set_verify(connection, VERIFY_PEER_OR_FAIL, nil)
  end
end

-- The configuration of the newest connection or request.
local current

-- In a session that is resumed nobody is asked for a certificate. OpenSSL resumes only those
-- of the same context, and looks for one after this: so none is that was made at another
-- port, or before a Gateway asked for certificates.
local function client_hello()
  if validation.at(current, ssl.server_port()) then
    assert(C.SSL_set_session_id_context(tls.get_request_ssl_pointer(), CONTEXT, #CONTEXT) == 1)
  end
end

-- Kong runs no plugins at the begin of a handshake. Without this clients would be refused in
-- sessions that they resume, and some insist on a session for as long as it is good.
local function hook()
  local core = package.loaded["kong"]
  local before = type(core) == "table" and core.ssl_client_hello
  if not before then
    return
  end
  function core.ssl_client_hello()
    before()
    return client_hello()
  end
end

function handshake.watch(conf)
  if not current then
    hook()
  end
  current = conf
end

return handshake
