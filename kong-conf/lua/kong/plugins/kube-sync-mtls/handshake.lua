-- Asks for a client certificate in a TLS handshake. Only OpenSSL can require one there; Kong and nginx cannot.
local ffi = require "ffi"
local internals = require("kong.kube_sync.internals").of("kube-sync-mtls/handshake")
local ssl = require "ngx.ssl"

internals.assert()
internals.module("resty.openssl.include.ssl") -- declares the functions of OpenSSL

local tls = internals.module("resty.kong.tls")

local VERIFY_PEER_OR_FAIL = 3
local CTRL_SET_VERIFY_CERT_STORE = 106
local SHARED = 1 -- the connection does not take over our store
local DEPTH = 10 -- intermediate authorities of a client's certificate at most

local C = ffi.C
local handshake = {}


-- Asks the client for a certificate. If one is required, a handshake without a valid one fails.
function handshake.ask(here)
  assert(tls.disable_session_reuse())
  assert(ssl.verify_client(here.hints, DEPTH))
  if here.required then
    local connection = tls.get_request_ssl_pointer()
    assert(C.SSL_ctrl(connection, CTRL_SET_VERIFY_CERT_STORE, SHARED, here.store.ctx) == 1)
    C.SSL_set_verify(connection, VERIFY_PEER_OR_FAIL, nil)
  end
end


return handshake
