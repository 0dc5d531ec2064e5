// Package settings reads Kong's settings for the stand-in gateway, from KONG_*
// environment variables and a kong.conf, and writes the .kong_env that Kong leaves
// in its prefix for plugin servers to read.
//
// The environment wins over the file. A setting that the stand-in has no use for is
// kept, since plugin servers read theirs the same way, and named by [Settings.Unused].
package settings
