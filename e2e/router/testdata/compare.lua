-- Reads worlds from standard input, one JSON object in a line, and builds for each the index and a router of
-- Kong. It adds and removes routes at random, sends both the same random requests, and stops at the first
-- difference. It prints how many requests it compared, and how many of them found a route.
local cjson = require "cjson"
local context = require "resty.router.context"
local fields = require "kong.router.fields"
local index = require "kong.plugins.kube-sync-router.index"
local router = require "resty.router.router"
local schemas = require "resty.router.schema"

local schema = schemas.new()
for kind, names in pairs(fields.HTTP_FIELDS) do
  for _, name in ipairs(names) do
    assert(schema:add_field(name, kind))
  end
end


local function one_of(list)
  local value = list[math.random(#list)]
  return value ~= cjson.null and value or nil
end


local function values_of(values)
  local all = {}
  for name, list in pairs(values) do
    all[name] = one_of(list)
  end
  return all
end


local function request(pools)
  return {
    scheme = one_of(pools.schemes), host = one_of(pools.hosts), uri = one_of(pools.paths), method = one_of(pools.methods),
    sni = one_of(pools.snis), port = one_of(pools.ports), src_ip = "127.0.0.1", src_port = 1,
    headers = values_of(pools.headers), queries = values_of(pools.queries), segments = {},
  }
end


-- Returns what Kong would read from a router for a request.
local function ask(instance, names, params)
  local c = context.new(schema)
  c.kube_sync_params = params
  assert(fields.new(names):fill_atc_context(c, params))
  if not instance:execute(c) then
    return "no route"
  end

  local id, path, captures = c:get_result("http.path")
  local lines = { id, path or "-" }
  for name, value in pairs(captures or {}) do
    lines[#lines + 1] = name .. "=" .. value
  end
  table.sort(lines)
  return table.concat(lines, " "), id
end


local function sorted(names)
  table.sort(names)
  return names
end


local function differ(world, held, params, expected, found)
  local texts = {}
  for _, route in pairs(held) do
    texts[#texts + 1] = string.format("%s %d %s", route.id, route.priority, route.text)
  end
  io.stderr:write(string.format("seed %d, request %s\nKong:  %s\nindex: %s\nroutes:\n%s\n",
                  world.seed, cjson.encode(params), expected, found, table.concat(texts, "\n")))
  os.exit(1)
end


local function toggle(stock, indexed, held, route)
  if held[route.id] then
    assert(stock:remove_matcher(route.id) == indexed:remove_matcher(route.id))
    held[route.id] = nil
    return
  end

  local ok = stock:add_matcher(route.priority, route.id, route.text)
  assert(ok == indexed:add_matcher(route.priority, route.id, route.text), route.text)
  held[route.id] = ok and route
end


local asked, matched = 0, 0

local function compare(world)
  math.randomseed(world.seed)
  local stock = router.new(schema, 10)
  local indexed = index.new(function(n) return router.new(schema, n) end)
  local held = {}

  for _ = 1, world.rounds do
    for _ = 1, math.random(#world.routes) do
      toggle(stock, indexed, held, one_of(world.routes))
    end

    local names = sorted(stock:get_fields())
    local of_index = table.concat(indexed:get_fields(), " ")
    if table.concat(names, " ") ~= of_index then
      differ(world, held, {}, table.concat(names, " "), of_index)
    end

    for _ = 1, world.requests do
      local params = request(world.pools)
      local expected, id = ask(stock, names, params)
      local found = ask(indexed, names, params)
      asked, matched = asked + 1, matched + (id and 1 or 0)
      if found ~= expected then
        differ(world, held, params, expected, found)
      end
    end
  end

  for _, route in pairs(held) do
    assert(indexed:remove_matcher(route.id))
  end
  assert(not next(indexed.buckets) and not next(indexed.hosts) and not next(indexed.suffixes)
         and not next(indexed.others) and not indexed:get_fields()[1], "the empty index holds something")
end


for line in io.lines() do
  compare(cjson.decode(line))
end
io.write(asked, " ", matched, "\n")
