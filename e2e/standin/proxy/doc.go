// Package proxy is the data path of the stand-in gateway: it routes a request by a
// table made of a declarative configuration and forwards it as Kong would, with
// Kong's answers where there is nothing to forward to.
//
// A table is immutable but for the positions of its balancers. A request keeps the
// table that it was routed by, so a new one never disturbs it.
package proxy
