-- Keeps Kong from connecting for tenants to addresses that are denied (addresses.lua), by
-- the address itself and not by a name that stands for it: names are resolved before.
--
--  * requests and streams: where Kong hands the endpoint that it has chosen to nginx;
--  * plugins and health checks: in `connect` and `setpeername` of all cosockets, below
--    Kong's own patch that resolves names, and in those of LuaSocket, which resolves names
--    itself and so connects to addresses alone.
--
-- It touches the metatables of cosockets, found in the registry by their methods, the
-- methods of LuaSocket, and the upvalue of Kong.balancer that internals.lua names. It is
-- installed once for all workers, in nginx's master before these are forked. A Kong in which
-- any of that is not as expected does not start.
local addresses = require "kong.plugins.kube-sync-delta.addresses"
local internals = require "kong.plugins.kube-sync-delta.internals"
local normalize_ip = require("kong.tools.ip").normalize_ip
local url = require "socket.url"


local PREFIX = "pluginserver_kube_sync_"
local RELAY = "127.0.0.1:10264" -- the default of RELAY_BIND_ADDRESS
local MOST_KNOWN = 10000

-- kube-sync keeps a file in Kong's prefix with the addresses that only the cluster knows.
-- It is looked at as often as this, in seconds, while there are connections.
local LEARNED = "/kube-sync.addresses"
local LOOK = 1


local _M = {}


local policy
-- Endpoints that Kong itself connects to.
local resolvers, sockets, relay = {}, {}, {}


-- The verdict on each address, or address and port, until there are too many of them.
local known, count = {}, 0
local looked, learned = 0, ""


-- What was learned stays when the file cannot be read.
local function look()
  local file = io.open(kong.configuration.prefix .. LEARNED)
  if not file then
    return
  end

  local text = file:read("*a")
  file:close()
  if text and text ~= learned then
    addresses.learn(policy, text)
    learned, known, count = text, {}, 0
  end
end


local function judge(host, port)
  local now = ngx.now()
  if now - looked >= LOOK then
    looked = now
    look()
  end

  port = policy.ports and tonumber(port) or nil
  local at = port and host .. " " .. port or host
  local what = known[at]
  if what == nil then
    what = addresses.reason(policy, host, port) or false
    if count == MOST_KNOWN then
      known, count = {}, 0
    end
    known[at], count = what, count + 1
  end
  return what
end


local function endpoint(host, port)
  local address = addresses.parse(host)
  return address and address .. ":" .. tostring(port)
end


-- Why a socket is not connected, or nil.
local function refuse(host, port)
  if type(host) ~= "string" then
    return -- an error of its own
  end

  local what = judge(host, port)
  if not what or sockets[host] then
    return
  end
  local to = endpoint(host, port)
  if to and resolvers[to] then
    return
  end

  local err = "connection refused by the gateway: " .. host .. " is " .. what
  ngx.log(ngx.WARN, err)
  return err
end


local function guarded(connect)
  return function(sock, host, ...)
    local err = refuse(host, (...))
    if err then
      return nil, err
    end
    return connect(sock, host, ...)
  end
end


local function guard_cosockets()
  local guarded_tcp, guarded_udp
  for _, methods in pairs(debug.getregistry()) do
    if type(methods) == "table" and rawget(methods, "__index") == methods then
      if rawget(methods, "connect") and rawget(methods, "setkeepalive") and not guarded_tcp then
        methods.connect, guarded_tcp = guarded(methods.connect), true
      elseif rawget(methods, "setpeername") and not guarded_udp then
        methods.setpeername, guarded_udp = guarded(methods.setpeername), true
      end
    end
  end
  assert(guarded_tcp and guarded_udp, "the methods of cosockets are not where they were")
end


-- Workers need nothing of LuaSocket that connects: it would block them.
local function close_luasocket()
  local function closed()
    return nil, "connection refused by the gateway: LuaSocket is not for workers"
  end

  require("socket.core").connect = closed
  pcall(require, "socket.unix")
  local n = 0
  for class, metatable in pairs(debug.getregistry()) do
    local methods = type(class) == "string" and class:find("^%l+{%l+}$") and metatable.__index
    for _, name in ipairs(methods and { "connect", "setpeername", "sendto" } or {}) do
      if methods[name] then
        methods[name] = closed
        n = n + 1
      end
    end
  end
  assert(n > 0, "the methods of LuaSocket are not where they were")
end


local function guard_peers()
  local set_current_peer = internals.peer()
  assert(type(set_current_peer) == "function", "endpoints are not chosen as they were")

  internals.peer(function(address, port, options)
    local what = judge(address, port)
    if not what or relay[endpoint(address, port) or ""] then
      return set_current_peer(address, port, options)
    end

    local service = ngx.ctx.service
    ngx.log(ngx.ERR, "request refused by the gateway: the endpoint ", address, " of service ",
            service and service.name or "(none)", " is ", what)
    ngx.exit(503)
    return true -- otherwise Kong exits with 500
  end)
end


local function setting(name)
  local value = kong.configuration[PREFIX .. name]
  return value ~= nil and tostring(value) or ""
end


local YES = { ["true"] = true, on = true, yes = true, ["1"] = true }


local function read_policy()
  local wrong
  policy, wrong = addresses.new({
    own = addresses.own(),
    denied = setting("denied_addresses"),
    allowed = setting("allowed_addresses"),
    allow_own_host = YES[setting("allow_loopback_backends"):lower()],
    api_server = {
      os.getenv("KUBERNETES_SERVICE_HOST") or "",
      (url.parse(setting("apiserver_host")) or {}).host or "",
    },
  })
  assert(not wrong, "neither addresses nor ranges, in the settings DENIED_ADDRESSES and ALLOWED_ADDRESSES: " .. tostring(wrong))
end


-- The resolvers that Kong was told of, or else the system's, as Kong reads them.
local function read_resolvers()
  local conf = kong.configuration
  local all = {}
  for _, list in ipairs({ conf.dns_resolver or {}, conf.resolver_address or {} }) do
    for _, server in ipairs(list) do
      all[#all + 1] = server
    end
  end

  if #all == 0 then
    local system = require("kong.resty.dns.utils").parseResolvConf()
    all = system and system.nameserver or all
  end
  for _, server in ipairs(all) do
    local found = normalize_ip(server)
    if found then
      resolvers[endpoint(found.host, found.port or 53) or ""] = true
    end
  end
end


-- The sockets between workers, between subsystems, and to plugin servers.
local function read_sockets()
  local conf = kong.configuration
  local function add(path)
    sockets["unix:" .. path] = true
  end

  for _, name in pairs(require("kong.constants").SOCKETS) do
    add(conf.socket_path .. "/" .. name)
  end
  for _, server in ipairs(conf.pluginservers or {}) do
    add(server.socket)
  end
end


local function read_relay()
  local address = setting("relay_bind_address")
  local host, port = (address == "" and RELAY or address):match("^(.+):(%d+)$")
  if host then
    relay[endpoint(host, port)] = true
  end
end


-- Kong makes the Lua VM of all workers in nginx's master.
if ngx.get_phase() == "init" then
  read_policy()
  read_resolvers()
  read_sockets()
  read_relay()
  look()
  guard_cosockets()
  close_luasocket()
  guard_peers()
  _M.in_force = true
end


return _M
