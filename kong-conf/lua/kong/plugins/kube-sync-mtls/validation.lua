-- Decides whether a client's certificate is valid.
local internals = require("kong.kube_sync.internals").of("kube-sync-mtls/handshake")
local lrucache = require "resty.lrucache"
local parse_pem_cert = require("ngx.ssl").parse_pem_cert

internals.assert()

local chains = internals.module("resty.openssl.x509.chain")
local stores = internals.module("resty.openssl.x509.store")
local tls = internals.module("resty.kong.tls")
local x509 = internals.module("resty.openssl.x509")

local concat = table.concat
local gmatch = string.gmatch
local kong = kong
local ngx = ngx

-- The number of connections whose certificates are remembered as valid, and the seconds until such a
-- certificate is verified again, because it may have expired.
local KNOWN = 5000
local FRESH = 600

local CERTIFICATE = "%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-.-%-%-%-%-%-END CERTIFICATE%-%-%-%-%-"

local validation = {}


-- Returns a store that trusts these certificates, also those that are not self-signed.
local function store_of(cas)
  local store = assert(stores.new())
  for i = 1, #cas do
    assert(store:add(assert(x509.new(cas[i], "PEM"))))
  end
  assert(store:set_flags(stores.verify_flags.X509_V_FLAG_PARTIAL_CHAIN))
  return store
end


local function trust(here, cas)
  here.hints = assert(parse_pem_cert(concat(cas, "\n")))
  here.store = store_of(cas)
end


-- With an empty store all clients are refused.
local function compiled(here)
  local cas = here.conf.cas
  here.store = store_of({})
  local ok, err = pcall(trust, here, type(cas) == "table" and cas or {})
  if not ok then
    kong.log.err("all clients are refused at port ", here.conf.port, ": ", err)
  end
  return here
end


local by_conf = setmetatable({}, { __mode = "k" })


-- Returns what a port of Kong asks of clients, or nil.
function validation.at(conf, port)
  local ports = by_conf[conf]
  if not ports then
    ports = {}
    for _, each in ipairs(conf.ports or {}) do
      ports[each.port] = { conf = each, required = each.required }
    end
    by_conf[conf] = ports
  end
  local here = ports[port]
  if here and not here.store then
    return compiled(here)
  end
  return here
end


local function verified(store, pem)
  local leaf
  local chain = assert(chains.new())
  for certificate in gmatch(pem, CERTIFICATE) do
    local parsed = assert(x509.new(certificate, "PEM"))
    if leaf then
      assert(chain:add(parsed))
    else
      leaf = parsed
    end
  end
  return store:verify(leaf, chain, false, nil, "ssl_client")
end


local known = assert(lrucache.new(KNOWN))


-- Reports whether the client of this connection has a certificate that is valid by the current
-- configuration. The connection may be older than that.
function validation.passed(here)
  local connection = ngx.var.connection
  if known:get(connection) == here then
    return true
  end
  local pem = tls.get_full_client_certificate_chain()
  if not pem then
    kong.log.info("the client has no certificate")
    return false
  end
  local ok, err = verified(here.store, pem)
  if not ok then
    kong.log.info("the client's certificate is invalid: ", err)
    return false
  end
  known:set(connection, here, FRESH)
  return true
end


return validation
