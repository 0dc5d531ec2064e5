// Package filter translates the filters of HTTPRoutes and GRPCRoutes into the configuration of the
// plugins kube-sync-http and kube-sync-cors. A value that their schemas would refuse is an error
// here, which names the field of the filter.
package filter
