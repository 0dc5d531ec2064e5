-- Does in the worker what filters of Gateway API ask for and no bundled plugin does
-- exactly, or only by templates. It is on no route that does not ask for it.
local chain = require "kong.plugins.kube-sync-http.chain"
local choose = require "kong.plugins.kube-sync-http.share"
local relay = require "kong.plugins.kube-sync-http.relay"
local unlength = require "kong.plugins.kube-sync-http.unlength"

local kong = kong

local Filters = {
  -- After authentication and limits, as the bundled plugin redirect.
  PRIORITY = 779,
  VERSION = "0.1.0",
}

-- A backend's filters come after those of its rule, so that theirs is the last word.
function Filters.access(_, conf)
  chain.request(conf)
  local share = conf.shares and choose(conf.shares, conf.total)
  if share then
    kong.ctx.plugin.share = share
    chain.request(share)
  end
  relay.request(share and share.relay or conf.relay)
  if conf.http2 then
    unlength()
  end
end

function Filters.header_filter(_, conf)
  relay.header()
  chain.response(conf)
  if conf.shares and kong.ctx.plugin.share then
    chain.response(kong.ctx.plugin.share)
  end
end

function Filters.body_filter(_, conf)
  if conf.relay or conf.shares then
    relay.body()
  end
end

return Filters
