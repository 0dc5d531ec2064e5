// Package helm renders, installs and upgrades kong-conf/chart with Helm's own library.
package helm
