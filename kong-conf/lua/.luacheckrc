std = "ngx_lua"
max_line_length = 120

-- Kong's PDK. Plugins replace what is in it only through kong/kube_sync/internals.lua.
read_globals = {
  kong = {
    other_fields = true,
    fields = { ctx = { fields = { plugin = { read_only = false, other_fields = true } } } },
  },
}
