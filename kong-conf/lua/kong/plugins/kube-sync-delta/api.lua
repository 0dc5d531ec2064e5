-- The Admin route of the plugin. The stream subsystem has no Admin API. There, the same questions go
-- through Kong's socket between the two subsystems.
local cjson = require "cjson.safe"
local internals = require("kong.kube_sync.internals").of("kube-sync-delta/deltas")


local NAME = "kube-sync-delta"
local FIRST_STEP, LONGEST_STEP = 0.002, 0.1
local LONGEST_WAIT = 60


local function stream(data)
  local constants = internals.module("kong.constants")
  local stream_api = internals.module("kong.tools.stream_api")
  local socket = "unix:" .. kong.configuration.socket_path .. "/" .. constants.SOCKETS.STREAM_RPC
  return stream_api.request(NAME, data, socket)
end


if ngx.config.subsystem == "stream" then
  return {
    _stream = function(data)
      local request = assert(cjson.decode(data))
      if request.notify then
        require("kong.plugins.kube-sync-delta.takeover").notify(request.base)
      end

      return cjson.encode(require("kong.plugins.kube-sync-delta.effective").hashes())
    end,
  }
end


local function notify(base)
  require("kong.plugins.kube-sync-delta.takeover").notify(base)

  if #kong.configuration.stream_listeners > 0 then
    local ok, err = stream(cjson.encode({ notify = true, base = base }))
    if not ok then
      kong.log.err("the stream subsystem does not learn of a change: ", err)
    end
  end
end


local function status()
  local declarative = internals.module("kong.db.declarative")
  local hash = declarative.get_current_hash()
  local effective = {
    http = require("kong.plugins.kube-sync-delta.effective").hashes(),
    stream = setmetatable({}, cjson.array_mt),
  }
  local ready = hash ~= nil

  if #kong.configuration.stream_listeners > 0 then
    local answer, err = stream("{}")
    if answer then
      effective.stream = cjson.decode(answer)

    else
      ready = false
      kong.log.err("the stream subsystem does not report its configuration: ", err)
    end
  end

  for _, hashes in pairs(effective) do
    for _, taken in ipairs(hashes) do
      ready = ready and taken == hash
    end
  end

  return {
    hash = hash, workers = ngx.worker.count(), effective = effective, ready = ready,
    busy = require("kong.plugins.kube-sync-delta.busy").workers(),
    pids = require("kong.plugins.kube-sync-delta.effective").pids(),
  }
end


local function wait(milliseconds)
  local deadline = ngx.now() + math.min(milliseconds / 1000, LONGEST_WAIT)
  local step = FIRST_STEP
  repeat
    if status().ready then
      return true
    end
    ngx.sleep(step)
    step = math.min(step * 1.2, LONGEST_STEP)
  until ngx.now() > deadline

  return false
end


local function check_kong()
  local problem = internals.problem()
  if problem then
    return kong.response.exit(501, { message = "changes go through full loads only: " .. problem })
  end
end


return {
  ["/kube-sync/delta"] = {
    GET = function()
      check_kong()

      local answer = status()
      -- makes a worker that missed an event look again; once a second is enough
      if not answer.ready and ngx.shared.kong:add(NAME .. ":told", true, 1) then
        notify()
      end

      answer.starts = require("kong.plugins.kube-sync-delta.effective").starts()
      answer.storage = require("kong.plugins.kube-sync-delta.storage")()

      return kong.response.exit(200, answer)
    end,

    POST = function(self)
      check_kong()

      local delta = self.json
      if type(delta) ~= "table" then
        return kong.response.exit(400, { message = "expected a delta as application/json" })
      end

      if self.params.check then
        local ok, refusal = pcall(require("kong.plugins.kube-sync-delta.check").failures, delta)
        if not ok then
          return kong.response.exit(500, { message = tostring(refusal) })
        end
        return kong.response.exit(refusal and 400 or 200, refusal or {})
      end

      local code, body, headers = require("kong.plugins.kube-sync-delta.apply")(delta)
      if code == 200 then
        notify(delta.base)

        local milliseconds = tonumber(self.params.wait)
        if milliseconds then
          body.effective = wait(milliseconds)
        end
      end

      return kong.response.exit(code, body, headers)
    end,
  },
}
