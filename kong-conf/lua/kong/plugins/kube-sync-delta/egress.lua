-- Keeps Kong from connecting to denied addresses (addresses.lua) for tenants. It checks addresses after
-- names are resolved:
--
--  * of requests and streams, where Kong passes the chosen endpoint to nginx;
--  * of plugins and health checks, in `connect` and `setpeername` of all cosockets, below Kong's
--    own patch that resolves names. LuaSocket resolves names itself, so it is disabled.
--
-- nginx's master installs the checks for all workers before it forks them. A Kong whose internals
-- differ does not start.
local addresses = require "kong.plugins.kube-sync-delta.addresses"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/egress")
local url = require "socket.url"


local PREFIX = "pluginserver_kube_sync_"
local RELAY = "127.0.0.1:10264" -- the default of RELAY_BIND_ADDRESS
local MOST_KNOWN = 10000

-- kube-sync writes the addresses that it learns from the cluster to a file in Kong's prefix. A worker with
-- connections reads it once in this many seconds.
local LEARNED = "/kube-sync.addresses"
local LOOK = 1


local _M = {}


local policy
-- Endpoints that Kong itself connects to, and the relay.
local resolvers, sockets, relay = {}, {}, {}


-- A cache of what denial returns, by address, or by address and port. It is cleared when it is full.
local known, count = {}, 0
local looked, learned = 0, ""


-- Reads the learned addresses. While the file is unavailable, the former ones stay.
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


-- Returns why an address is denied, or false.
local function denial(host, port)
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


-- Returns the path of a socket with single slashes: Kong asks its stream subsystem for metrics at PREFIX//sockets.
local function plain(path)
  return (path:gsub("//+", "/"))
end


local function endpoint(host, port)
  local address = addresses.parse(host)
  return address and address .. ":" .. tostring(port)
end


-- Returns why a socket must not connect, or nil.
local function refuse(host, port)
  if type(host) ~= "string" then
    return -- Kong itself returns an error
  end

  local what = denial(host, port)
  if not what or sockets[plain(host)] then
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
  for _, methods in pairs(internals.registry()) do
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


-- No plugin needs LuaSocket in a worker, because its connections would block the worker.
local function disable_luasocket()
  local function closed()
    return nil, "connection refused by the gateway: LuaSocket is disabled in workers"
  end

  internals.replace("socket.core", "connect", function() return closed end)
  pcall(require, "socket.unix")
  local n = 0
  for class, metatable in pairs(internals.registry()) do
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
  internals.replace("kong", "balancer>set_current_peer", function(set_current_peer)
    return function(address, port, options)
      local what = denial(address, port)
      if not what or relay[endpoint(address, port) or ""] then
        return set_current_peer(address, port, options)
      end

      local service = ngx.ctx.service
      ngx.log(ngx.ERR, "request refused by the gateway: the endpoint ", address, " of service ",
              service and service.name or "(none)", " is ", what)
      ngx.exit(503)
      return true -- otherwise Kong exits with 500
    end
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
  assert(not wrong, "the settings DENIED_ADDRESSES and ALLOWED_ADDRESSES take addresses and ranges, not "
                    .. tostring(wrong))
end


-- Reads the resolvers in Kong's settings, or else the system's, as Kong does.
local function read_resolvers()
  local conf = kong.configuration
  local all = {}
  for _, list in ipairs({ conf.dns_resolver or {}, conf.resolver_address or {} }) do
    for _, server in ipairs(list) do
      all[#all + 1] = server
    end
  end

  if #all == 0 then
    local system = internals.module("kong.resty.dns.utils").parseResolvConf()
    all = system and system.nameserver or all
  end
  local normalize_ip = internals.module("kong.tools.ip").normalize_ip
  for _, server in ipairs(all) do
    local found = normalize_ip(server)
    if found then
      resolvers[endpoint(found.host, found.port or 53) or ""] = true
    end
  end
end


-- Reads the sockets between workers, between subsystems, and to plugin servers.
local function read_sockets()
  local conf = kong.configuration
  local function add(path)
    sockets["unix:" .. plain(path)] = true
  end

  local constants = internals.module("kong.constants")
  for _, name in pairs(constants.SOCKETS) do
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


-- nginx's master makes the Lua VM that all workers inherit.
if ngx.get_phase() == "init" then
  internals.assert()
  read_policy()
  read_resolvers()
  read_sockets()
  read_relay()
  look()
  guard_cosockets()
  disable_luasocket()
  guard_peers()
  _M.in_force = true
end


return _M
