std = "ngx_lua"
globals = { "kong" }
max_line_length = 120
