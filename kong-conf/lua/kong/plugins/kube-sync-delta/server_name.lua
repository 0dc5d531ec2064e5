-- Server names have no case, but Kong looks certificates up by what the client wrote: one
-- that asks for SHOP.Example would be served the default certificate. Kong calls the
-- function `execute` of its module for certificates at each handshake, which is no public
-- interface; where it is not there nothing is replaced.
local certificates = require "kong.runloop.certificate"
local ssl = require "ngx.ssl"


local assert = assert
local lower = string.lower


local _M = {}


local function serve(row)
  assert(ssl.clear_certs())
  assert(ssl.set_cert(row.cert))
  assert(ssl.set_priv_key(row.key))
  if row.cert_alt and row.key_alt then
    assert(ssl.set_cert(row.cert_alt))
    assert(ssl.set_priv_key(row.key_alt))
  end
end


function _M.init_worker()
  local execute, find = certificates.execute, certificates.find_certificate
  if type(execute) ~= "function" or type(find) ~= "function" then
    kong.log.warn("server names in capitals are served the default certificate: ",
                  "the module kong.runloop.certificate is another one")
    return
  end

  function certificates.execute()
    local name = ssl.server_name()
    if not name or name == lower(name) then
      return execute()
    end

    local row, err = find(lower(name))
    if err then
      kong.log.err(err)
      return ngx.exit(ngx.ERROR)
    end

    -- Kong has set the default certificate already.
    if row and row ~= find(nil) then
      serve(row)
    end
  end
end


return _M
