// Package upstream translates the objects for load balancing and health checks:
// KongUpstreamPolicy, and the older KongIngress. Each object is a unit that any number of
// backends read. Values that Kong would not accept result in verdicts on the object, and the rest
// takes effect.
package upstream
