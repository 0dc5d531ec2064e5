// Package watch is the cluster: it delivers what Kubernetes holds as changes and
// writes statuses and events back.
//
// There are two sources, behind one interface: a cluster's API server, through
// informers, and a directory of manifests. Both coalesce: a consumer that is busy
// finds, when it takes the next batch, each object once and as it is by then.
package watch
