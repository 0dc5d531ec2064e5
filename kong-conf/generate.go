// Package kongconf holds the gateway's configuration to the code: kong.conf, the chart and its manifests, the Lua plugins.
// Everything else in it is tests.
package kongconf

//go:generate go run ./generate
