-- Every internal of Kong and OpenResty that these plugins use. A part is a set of files of one
-- plugin that work or do not work together:
--
--   files      the files that use the internals
--   otherwise  what happens on a Kong where they differ
--   version    the only minor version of Kong that the part works with, if there is only one
--   dbless     whether the part works only without a database
--   modules    by module, the paths that have to exist. "a.b" is a field b, "a>b" the upvalue b of
--              the function a; "/3" is the number of parameters, "=table" the type, if not a function.
--              "PDK" is the global table kong, "ngx" that of OpenResty.
--   registry   what the part looks for in LuaJIT's registry
--
-- The rest cannot be checked before there are requests or balancers. On a Kong where it differs, the
-- files get nil, or fail with an error in Kong's log:
--
--   ctx        fields of ngx.ctx
--   vars       variables in the nginx.conf that Kong writes
--   locations  locations of that file
--   settings   undocumented fields of kong.configuration, which Kong computes
--   objects    fields of Kong's objects, by the variable that holds the object
--   methods    methods of Kong's objects
--   symbols    functions of OpenSSL in the nginx of OpenResty
--
-- kong-conf/internals_test.go fails if the sources use an internal that is not listed here.
return {
  ["kube-sync-delta/deltas"] = {
    files = [[
      api apply balancing busy caches callbacks check complete crash_recovery creation effective index_keys journal
      lock plan plugins pools routing start stream_upstreams takeover
    ]],
    otherwise = "Changes go through full loads. The Admin route /kube-sync/delta answers 501, and Kong's log "
                .. "has a warning.",
    version = "3.9",
    dbless = true,
    modules = {
      ["PDK"] = [[
        core_cache.get core_cache.safe_set
        core_cache.mlcache.name=string core_cache.mlcache.dict=any core_cache.mlcache.lru=any
        cache.mlcache.name=string cache.mlcache.dict=any cache.mlcache.lru=any
        db.declarative_config.parse_table db.declarative_config.schema.known_entities=table
        default_workspace=string vault.flush
        worker_events.post worker_events.post_local worker_events.register
      ]],
      ["ngx"] = "shared.kong=any shared.kong_locks=any",
      ["kong"] = "balancer>set_current_peer",
      ["kong.concurrency"] = "with_worker_mutex with_coroutine_mutex",
      ["kong.constants"] = [[
        CLEAR_HEALTH_STATUS_DELAY=number DECLARATIVE_EMPTY_CONFIG_HASH=string DECLARATIVE_HASH_KEY=string
        ENTITY_CACHE_STORE=table PROTOCOLS_WITH_SUBSYSTEM=table SOCKETS=table
      ]],
      ["kong.db.declarative"] = [[
        get_current_hash insert_entity_for_txn delete_entity_for_txn load_into_cache
        item_key item_key_prefix unique_field_key foreign_field_key_prefix
      ]],
      ["kong.db.declarative.marshaller"] = "unmarshall",
      ["kong.db.errors"] = "declarative_config declarative_config_flattened",
      ["kong.router.compat"] = "new",
      ["kong.router.expressions"] = "new",
      ["kong.runloop.balancer"] = "init stop_healthcheckers",
      ["kong.runloop.balancer.balancers"] = [[
        init get_balancer_by_id set_balancer create_balancer
        get_balancer_by_id>balancers_by_id=table create_balancer>creating=table
        create_balancer>create_balancer_exclusive>balancer_mt.afterHostUpdate
        create_balancer>create_balancer_exclusive>balancer_mt.changeWeight
        create_balancer>create_balancer_exclusive>balancer_mt.deleteDisabledAddresses
        create_balancer>create_balancer_exclusive>balancer_mt.disableAddress
        create_balancer>create_balancer_exclusive>balancer_mt.setAddressStatus
      ]],
      ["kong.runloop.balancer.healthcheckers"] = "init stop_healthchecker",
      ["kong.runloop.balancer.targets"] = [[
        init fetch_targets clean_targets_cache resolve_targets on_target_event on_target_event>renewal_heap=table
      ]],
      ["kong.runloop.balancer.upstreams"] = [[
        init get_all_upstreams get_upstream_by_id get_upstream_by_name update_balancer_state
      ]],
      ["kong.runloop.certificate"] = "produce_wild_snis ca_ids_cache_key",
      ["kong.runloop.handler"] = [[
        _get_updated_router build_router update_router build_plugins_iterator get_plugins_iterator
        get_plugins_iterator>PLUGINS_ITERATOR=variable
        update_plugins_iterator>build_plugins_iterator>new_plugins_iterator>PluginsIterator_new
      ]],
      ["kong.tools.stream_api"] = "request",
      ["kong.tools.table"] = "cycle_aware_deep_copy",
      ["resty.events.compat"] = "post post>ev.worker._callback._callbacks=table post>ev.worker._callback._funcs=table",
      ["resty.lmdb"] = "get",
      ["resty.lmdb.prefix"] = "page",
      ["resty.lmdb.transaction"] = "begin",
    },
    ctx = "balancer_data route service",
    vars = "upstream_host",
    settings = "socket_path stream_listeners",
    objects = {
      balancer = "algorithm healthchecker targets",
      healthchecker = "EVENT_SOURCE",
      mlcache = "dict dict_miss lru name",
      router = "cache cache_neg fields rebuilding router routes services updated_at",
      schema = "fields known_entities primary_key workspaceable",
      target = "addresses balancer id nameType tags target updated_at weight",
    },
    methods = [[
      add afterHostUpdate begin cache_key changeWeight commit configure declarative_config deleteDisabledAddresses
      disableAddress each each_field flush_all has_transformations parse_table remove safe_set select setAddressStatus
      transform
    ]],
  },

  ["kube-sync-delta/patterns"] = {
    files = "patterns",
    otherwise = "Kong looks for patterns in strings of any length, and its log has a warning. "
                .. "A Kong 3.9 without the function does not start.",
    version = "3.9",
    dbless = true,
    modules = { ["kong.db.schema"] = "validators.match" },
  },

  ["kube-sync-delta/server_name"] = {
    files = "server_name",
    otherwise = "A server name in capitals is served the default certificate, and Kong's log has a warning.",
    modules = { ["kong.runloop.certificate"] = "execute find_certificate" },
  },

  ["kube-sync-delta/secrets"] = {
    files = "secrets",
    otherwise = "A plugin whose secret is missing works with an empty one, and Kong's log has a critical error.",
    modules = { ["PDK"] = "vault.update" },
    ctx = "delayed_response",
  },

  ["kube-sync-delta/storage"] = {
    files = "storage",
    otherwise = "The metrics of kube-sync do not say how full LMDB is.",
    modules = { ["resty.lmdb.status"] = "get_env_info" },
  },

  ["kube-sync-delta/egress"] = {
    files = "egress",
    otherwise = "Kong does not start.",
    modules = {
      ["kong"] = "balancer>set_current_peer",
      ["kong.constants"] = "SOCKETS=table",
      ["kong.resty.dns.utils"] = "parseResolvConf",
      ["kong.tools.ip"] = "normalize_ip",
      ["socket.core"] = "connect",
    },
    registry = "the methods connect and setpeername of cosockets, and those of LuaSocket's classes",
    ctx = "service",
    settings = "dns_resolver pluginservers resolver_address socket_path",
  },

  ["kube-sync-delta/settings"] = {
    files = "handler",
    otherwise = "Kong's log does not say that kube-sync cannot read Kong's settings.",
    settings = "kong_env",
  },

  ["kube-sync-http/filters"] = {
    files = "chain path redirect relay",
    otherwise = "Kong does not start without the functions. Without the variables requests that need them fail.",
    modules = { ["kong.tools.uri"] = "escape normalize" },
    vars = "kong_proxy_mode upstream_via",
  },

  ["kube-sync-mtls/handshake"] = {
    files = "handshake validation",
    otherwise = "Kong does not start.",
    modules = {
      ["resty.kong.tls"] = "disable_session_reuse get_full_client_certificate_chain get_request_ssl_pointer",
      ["resty.openssl.include.ssl"] = "",
      ["resty.openssl.x509"] = "new",
      ["resty.openssl.x509.chain"] = "new",
      ["resty.openssl.x509.store"] = "new verify_flags.X509_V_FLAG_PARTIAL_CHAIN=number",
    },
    methods = "add set_flags verify",
    symbols = "SSL_ctrl SSL_set_verify",
  },

  ["kube-sync-mtls/sessions"] = {
    files = "sessions",
    otherwise = "Clients that resume a TLS session are refused where a certificate is required, and Kong's log "
                .. "has a critical error.",
    modules = {
      ["kong"] = "ssl_client_hello",
      ["resty.kong.tls"] = "get_request_ssl_pointer",
      ["resty.openssl.include.ssl"] = "",
    },
    symbols = "SSL_set_session_id_context",
  },

  ["kube-sync-ports/ports"] = {
    files = "handler",
    otherwise = "Kong does not start.",
    modules = { ["kong.router.fields"] = "get_value/4 get_cache_key/3" },
    ctx = "host_port",
  },

  ["kube-sync-request/examination"] = {
    files = "body examine framing hook prefix",
    otherwise = "Requests are not examined, and Kong's log has a critical error. kube-sync asks "
                .. "/kube-sync/request when it starts, and logs the problem, too.",
    modules = {
      ["PDK"] = "request.get_raw_body>read_body",
      ["ngx"] = "req.clear_header req.read_body req.set_header",
      ["kong.runloop.handler"] = "access.before access.after header_filter.before header_filter.after log.after",
      ["kong.tools.uri"] = "escape",
    },
    ctx = "cached_request_headers route service",
    vars = "kong_proxy_mode upstream_host upstream_x_forwarded_prefix",
    locations = "@unbuffered @unbuffered_request",
  },

  ["kube-sync-request/streams"] = {
    files = "streams",
    otherwise = "The streams of namespaces are not counted, and Kong's log has a critical error.",
    modules = { ["kong.runloop.handler"] = "preread.before log.before" },
    ctx = "route",
    vars = "kong_tls_passthrough_block",
  },

  ["kube-sync-router/index"] = {
    files = "handler index",
    otherwise = "Each request is compared with all routes, and Kong's log has a warning.",
    version = "3.9",
    modules = {
      ["kong.router.atc"] = "new>new_from_scratch>get_atc_router/1",
      ["kong.router.fields"] = "fill_atc_context/3",
    },
    objects = "params.host params.uri",
    methods = "add_matcher execute get_fields get_result remove_matcher",
  },

  ["kube-sync-tenants/consumers"] = {
    files = "consumers iterators",
    otherwise = "Consumers are for all routes; where tenants are isolated, requests are answered 503. Kong's "
                .. "log has an error.",
    modules = {
      ["PDK"] = "client.authenticate",
      ["kong.runloop.handler"] = [[
        update_plugins_iterator>build_plugins_iterator>new_plugins_iterator>PluginsIterator_new
      ]],
      ["kong.runloop.plugins_iterator"] = "build_compound_key",
    },
    ctx = "authenticated_consumer route service",
    objects = { iterator = "ws", workspace = "combos" },
  },

  ["kube-sync-tenants/owners"] = {
    files = "owners",
    otherwise = "What plugins count for a namespace is counted for the operator, whose share is as large as one "
                .. "namespace's.",
    ctx = "authenticated_consumer route service",
  },

  ["kube-sync-tenants/metrics"] = {
    files = "metrics",
    otherwise = "Each prometheus plugin switches the metrics of all upstreams on or off. Kong's log has an error.",
    modules = { ["kong.plugins.prometheus.exporter"] = "set_export_upstream_health_metrics" },
  },

  ["kube-sync-tenants/queues"] = {
    files = "queues",
    otherwise = "The http-log plugins of several namespaces that send to one address share a queue. Kong's log has "
                .. "an error.",
    modules = { ["kong.tools.queue"] = "get_plugin_params" },
  },

  ["kube-sync-tenants/limits"] = {
    files = "limits",
    otherwise = "The local counters of all namespaces evict one another. Kong's log has an error.",
    modules = {
      ["kong.tools.timestamp"] = "get_timestamps",
      ["kong.plugins.rate-limiting.policies"] = [[
        local.usage/4 local.usage>shm=any local.increment/5 local.increment>shm=any
      ]],
      ["kong.plugins.response-ratelimiting.policies"] = [[
        local.usage/5 local.usage>shm=any local.increment/5 local.increment>shm=any
      ]],
      ["ngx"] = "shared.kong_rate_limiting_counters=any",
    },
  },

  ["kube-sync-tenants/redis"] = {
    files = "redis",
    otherwise = "Plugins that count in Redis share connections. Kong's log has an error.",
    modules = {
      ["kong.plugins.rate-limiting.policies"] = "redis.usage>get_redis_connection redis.usage>get_db_key",
      ["kong.plugins.response-ratelimiting.policies"] = "redis.usage>get_redis_connection",
      ["resty.redis"] = "connect",
    },
  },

  ["kube-sync-tenants/buffers"] = {
    files = "buffers",
    otherwise = "The counters that rate-limiting has not synchronized with Redis yet have no bound. Kong's log "
                .. "has an error.",
    modules = {
      ["kong.tools.timestamp"] = "get_timestamps",
      ["kong.plugins.rate-limiting.policies"] = [[
        redis.usage redis.usage>cur_usage=table redis.usage>get_local_key redis.usage>get_db_key
        redis.increment redis.increment>sync_to_redis redis.increment>rate_limited_sync
        redis.increment>update_local_counters>cur_delta=table
        redis.increment>sync_to_redis>clear_local_counter
      ]],
    },
  },
}
