// Package gatewayapi adds the translation of Gateway API to a graph. Its packages are named after the
// kinds and fields that they translate; imports go in one direction:
//
//	routes → gateway → gatewayclass
//	routes → backendref → filter
//	routes, backendref → backendtlspolicy
//	all → hostname
//
// Each object is a unit, and so are the backends of each rule, so that a change of endpoints affects
// one upstream only. A Gateway's unit tells its routes what its listeners allow; a route's unit
// records the listeners it is attached to, and the Gateway's status counts them. Objects that belong
// to this controller get a complete status. Of other controllers' objects, only the class is read.
//
// Features that Kong lacks become configuration of a Lua plugin or of the relay, only on the routes
// that use them.
package gatewayapi
