// Package proxy is the data path of the stand-in gateway. It routes a request by a table,
// which is made from a declarative configuration, and forwards it like Kong. If there is
// no target, it sends Kong's answers.
//
// A table is immutable except for the positions of its balancers. A request keeps its table
// when there is a new one.
package proxy
