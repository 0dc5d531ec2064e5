-- The policy that decides to which addresses the gateway connects for its tenants. The Go package
-- translate/address has the same policy, but only a worker knows what names resolve to and where
-- plugins connect. A test compares both lists and their answers.
--
-- An address is a string of 4 or 16 octets here.
local bit = require "bit"
local ffi = require "ffi"


local byte, char, find, gmatch, match, sub =
  string.byte, string.char, string.find, string.gmatch, string.match, string.sub


ffi.cdef [[
struct kube_sync_interface {
  struct kube_sync_interface *next;
  char *name;
  unsigned int flags;
  const uint8_t *address;
};
int kube_sync_inet_pton(int family, const char *text, uint8_t *octets) __asm__("inet_pton");
int kube_sync_getifaddrs(struct kube_sync_interface **first) __asm__("getifaddrs");
void kube_sync_freeifaddrs(struct kube_sync_interface *first) __asm__("freeifaddrs");
]]


local AF_INET, AF_INET6 = 2, 10 -- of Linux

local UNSPECIFIED = "an unspecified address"
local LOOPBACK = "a loopback address"
local LINK_LOCAL = "a link-local address"
local MULTICAST = "a multicast address"
local METADATA = "the address of a cloud metadata service"

-- The last field marks ranges that packets reach without leaving the gateway's host or link.
local BUILT_IN = {
  { "0.0.0.0/8", UNSPECIFIED, true },
  { "127.0.0.0/8", LOOPBACK, true },
  { "169.254.0.0/16", LINK_LOCAL, true },
  { "224.0.0.0/4", MULTICAST },
  { "255.255.255.255/32", "the broadcast address" },
  { "::/128", UNSPECIFIED, true },
  { "::1/128", LOOPBACK, true },
  { "fe80::/10", LINK_LOCAL, true },
  { "ff00::/8", MULTICAST },
  { "100.100.100.200/32", METADATA },
  { "168.63.129.16/32", METADATA },
  { "192.0.0.192/32", METADATA },
  { "fd00:ec2::/32", METADATA },
  { "fd20:ce::254/128", METADATA },
  { "fd00:c1::a9fe:a9fe/128", METADATA },
  { "fd00:42::42/128", METADATA },
  { "fd00:a9fe:a9fe::1/128", METADATA },
  { "fd00:100::100:200/128", METADATA },
}


local _M = {}


local octets = ffi.new("uint8_t[16]")


-- Returns the octets of an address, with or without brackets, or nil for anything else. Old
-- spellings of IPv4 addresses, such as 127.1, are not addresses.
function _M.parse(text)
  if sub(text, 1, 1) == "[" and sub(text, -1) == "]" then
    text = sub(text, 2, -2)
  end
  if find(text, "%z") then
    return
  end
  if ffi.C.kube_sync_inet_pton(AF_INET, text, octets) == 1 then
    return ffi.string(octets, 4)
  end
  if ffi.C.kube_sync_inet_pton(AF_INET6, text, octets) == 1 then
    return ffi.string(octets, 16)
  end
end


local function parse_range(text)
  local address, bits = match(text, "^([^/]+)/(%d+)$")
  local first = _M.parse(address or text)
  if first then
    return { first = first, bits = tonumber(bits) or 8 * #first }
  end
end


local function contains(range, address)
  local first, bits = range.first, range.bits
  if #first ~= #address then
    return false
  end

  local whole, rest = math.floor(bits / 8), bits % 8
  if sub(first, 1, whole) ~= sub(address, 1, whole) then
    return false
  end
  return rest == 0 or bit.rshift(byte(first, whole + 1), 8 - rest) == bit.rshift(byte(address, whole + 1), 8 - rest)
end


local function any_contains(ranges, address)
  for _, range in ipairs(ranges) do
    if contains(range, address) then
      return true
    end
  end
  return false
end


local MAPPED = parse_range("::ffff:0:0/96")
local COMPATIBLE = parse_range("::/96")
local TRANSLATED = parse_range("::ffff:0:0:0/96")
local NAT64 = parse_range("64:ff9b::/96")
local LOCAL_NAT64 = parse_range("64:ff9b:1::/48")
local SIX_TO_FOUR = parse_range("2002::/16")
local TEREDO = parse_range("2001::/32")


-- Returns the IPv4 addresses in an address of the prefix for a network's own translators (RFC 8215).
-- That prefix has 48, 56, 64 or 96 bits; below 96, zeros follow the IPv4 address (RFC 6052).
local function locally_translated(a)
  local function pick(i, j, k, l)
    return char(byte(a, i), byte(a, j), byte(a, k), byte(a, l))
  end

  local all = { pick(7, 8, 10, 11), pick(8, 10, 11, 12), pick(10, 11, 12, 13), sub(a, 13) }
  local from, to
  if sub(a, 14) ~= "\0\0\0" then
    from, to = 4, 4
  elseif byte(a, 13) ~= 0 then
    from, to = 3, 3
  elseif byte(a, 12) ~= 0 then
    from, to = 2, 3
  else
    from, to = 1, 3
  end

  local found = {}
  for i = from, to do
    if byte(all[i], 1) ~= 0 then -- otherwise the prefix has another length
      found[#found + 1] = all[i]
    end
  end
  return found
end


-- Returns the address and the IPv4 addresses that packets to it may reach: those that a
-- translator or a tunnel takes from an IPv6 address.
local function forms(a)
  if #a == 4 then
    return { a }
  end
  if contains(MAPPED, a) then
    return { sub(a, 13) }
  end
  if contains(LOCAL_NAT64, a) then
    local all = locally_translated(a)
    all[#all + 1] = a
    return all
  end
  if contains(NAT64, a) or contains(TRANSLATED, a) or
     contains(COMPATIBLE, a) and sub(a, 13) ~= "\0\0\0\0" and sub(a, 13) ~= "\0\0\0\1"
  then
    return { a, sub(a, 13) }
  end
  if contains(SIX_TO_FOUR, a) then
    return { a, sub(a, 3, 6) }
  end
  if contains(TEREDO, a) then
    local b1, b2, b3, b4 = byte(a, 13, 16)
    return { a, sub(a, 5, 8), char(255 - b1, 255 - b2, 255 - b3, 255 - b4) }
  end
  return { a }
end


-- Returns the addresses of this host's network interfaces, as a set.
function _M.own()
  local first = ffi.new("struct kube_sync_interface *[1]")
  if ffi.C.kube_sync_getifaddrs(first) ~= 0 then
    error("the addresses of network interfaces cannot be listed: errno " .. ffi.errno())
  end

  local own = {}
  local interface = first[0]
  while interface ~= nil do
    local address = interface.address
    if address ~= nil then
      local family = ffi.cast("const uint16_t *", address)[0]
      if family == AF_INET then
        own[ffi.string(address + 4, 4)] = true
      elseif family == AF_INET6 then
        own[ffi.string(address + 8, 16)] = true
      end
    end
    interface = interface.next
  end
  ffi.C.kube_sync_freeifaddrs(first[0])

  return own
end


local function set(texts)
  local all = {}
  for _, text in ipairs(texts) do
    local address = _M.parse(text)
    if address then
      all[forms(address)[1]] = true
    end
  end
  return all
end


-- Returns the ranges of a list with commas. The second value names the elements that are not ranges.
local function ranges(text)
  local all, wrong = {}, nil
  for part in gmatch(text or "", "[^,%s]+") do
    local range = parse_range(part)
    if range then
      all[#all + 1] = range
    else
      wrong = wrong and wrong .. ", " .. part or part
    end
  end
  return all, wrong
end


-- Returns the policy for settings: denied and allowed are lists of ranges with commas, own is a set
-- of octets, api_server a list of addresses, allow_own_host a boolean. The second value names the
-- elements of the settings that are not ranges.
function _M.new(settings)
  local policy = {
    own = settings.own, api_server = set(settings.api_server), own_host = settings.allow_own_host, learned = {},
  }
  local wrong_denied, wrong_allowed
  policy.denied, wrong_denied = ranges(settings.denied)
  policy.allowed, wrong_allowed = ranges(settings.allowed)
  return policy, wrong_denied or wrong_allowed
end


-- Returns an address and the port after it, or nil in place of the port.
local function split(text)
  local host, port = text:match("^%[(.+)%]:(%d+)$")
  if not host then
    host, port = text:match("^([%d.]+):(%d+)$")
  end
  return host or text, tonumber(port)
end


-- Replaces the addresses that are denied because of what the cluster says about them. Each line of
-- the text has the address, its port if only that port is denied, and what the address is.
function _M.learn(policy, text)
  local learned, ports = {}, false
  for at, what in gmatch(text, "(%S+) ([^\n]+)\n") do
    local host, port = split(at)
    local address = _M.parse(host)
    if address and port then
      learned[forms(address)[1] .. ":" .. port], ports = what, true
    elseif address then
      learned[forms(address)[1]] = what
    end
  end
  policy.learned, policy.ports = learned, ports
end


local built_in = {}
for i, entry in ipairs(BUILT_IN) do
  built_in[i] = parse_range(entry[1])
  built_in[i].what, built_in[i].own_host = entry[2], entry[3]
end


local function reason(policy, address, port)
  if any_contains(policy.denied, address) then
    return "denied by the setting DENIED_ADDRESSES"
  end
  for _, range in ipairs(built_in) do
    if contains(range, address) then
      return not (range.own_host and policy.own_host) and range.what or nil
    end
  end
  if policy.own[address] then
    return not policy.own_host and "an address of the gateway" or nil
  end
  if policy.api_server[address] then
    return "an address of the Kubernetes API server"
  end
  return policy.learned[address] or port and policy.learned[address .. ":" .. port]
end


-- Returns how the sentence "10.0.0.1 is …" ends for a denied host, or nil for an allowed one.
-- Everything that is not an address is denied. Without a port, only what is denied at all ports is.
function _M.reason(policy, host, port)
  local address = _M.parse(host)
  if not address then
    return "not an address"
  end

  local all = forms(address)
  for _, form in ipairs(all) do
    if any_contains(policy.allowed, form) then
      return
    end
  end
  for _, form in ipairs(all) do
    local what = reason(policy, form, port)
    if what then
      return what
    end
  end
end


return _M
