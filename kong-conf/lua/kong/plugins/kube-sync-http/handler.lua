-- Runs the filters of Gateway API that bundled plugins do not implement exactly, or only with templates. The
-- plugin is only on routes that need it.
local chain = require "kong.plugins.kube-sync-http.chain"
local choose = require "kong.plugins.kube-sync-http.share"
local drop_length = require "kong.plugins.kube-sync-http.empty_body"
local relay = require "kong.plugins.kube-sync-http.relay"

local kong = kong

local Filters = {
  -- After authentication and limits, like the bundled plugin redirect.
  PRIORITY = 779,
  VERSION = "1.0.0",
}


-- The filters of a backend run after those of its rule, and override them.
function Filters.access(_, conf)
  chain.request(conf)
  local share = conf.shares and choose(conf.shares, conf.total)
  if share then
    kong.ctx.plugin.share = share
    chain.request(share)
  end
  relay.request(share and share.relay or conf.relay)
  if conf.http2 then
    drop_length()
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
