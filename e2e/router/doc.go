// Package router compares the index of the Lua plugin kube-sync-router with Kong's own router, without
// a gateway: both run on Kong's library, in OpenResty's command resty.
package router
