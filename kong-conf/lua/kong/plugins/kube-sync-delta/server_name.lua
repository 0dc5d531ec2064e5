-- Server names are case-insensitive, but Kong looks up certificates by the name as the client spells it:
-- a client that asks for SHOP.Example is served the default certificate. Kong calls the replaced
-- function at each handshake.
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/server_name")
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
  local problem = internals.problem()
  if problem then
    kong.log.warn("server names in capitals are served the default certificate: ", problem)
    return
  end

  local find = internals.get("kong.runloop.certificate", "find_certificate")
  internals.replace("kong.runloop.certificate", "execute", function(execute)
    return function()
      local name = ssl.server_name()
      if not name or name == lower(name) then
        return execute()
      end

      local row, err = find(lower(name))
      if err then
        kong.log.err(err)
        return ngx.exit(ngx.ERROR)
      end

      -- Kong has set the default certificate already
      if row and row ~= find(nil) then
        serve(row)
      end
    end
  end)
end


return _M
