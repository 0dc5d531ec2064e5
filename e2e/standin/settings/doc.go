// Package settings reads Kong's settings for the stand-in gateway, from KONG_*
// environment variables and a kong.conf. It also writes the .kong_env that plugin
// servers read in Kong's prefix.
//
// The environment takes precedence over the file. Settings that the stand-in does not use
// are kept for plugin servers, and [Settings.Unused] lists them.
package settings
