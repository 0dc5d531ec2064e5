// Package upstream translates what says how requests are spread over endpoints and
// which of those are healthy: KongUpstreamPolicy, and the older KongIngress. Each object
// is a unit of its own that any number of backends read. What Kong would not take is a
// verdict on the object, and the rest of it counts.
package upstream
