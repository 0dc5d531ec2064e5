// Package filter translates the filters of HTTPRoutes and GRPCRoutes into the configuration of the
// plugins kube-sync-http and kube-sync-cors. What their schemas would refuse is an error here, with
// the field of the filter.
package filter
