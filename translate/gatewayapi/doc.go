// Package gatewayapi adds the translation of Gateway API to a graph. Its packages are named after the
// kinds and fields that they are about; imports go in one direction:
//
//	routes → gateway → gatewayclass
//	routes → backendref → filter
//	routes, backendref → backendtlspolicy
//	all → hostname
//
// Each object is a unit of its own, and so is what a rule of a route sends requests to, so that a
// change of endpoints concerns one upstream. A Gateway's unit tells its routes what its listeners
// allow; a route's unit says which listeners it is attached to, which the Gateway's status counts.
// Every object of ours has a whole status; of those of other controllers nothing is read but their
// class.
//
// What Kong cannot do by itself is the configuration of a plugin in Lua or of the relay, each only
// on the routes that ask for it.
package gatewayapi
