// Package report writes what the gateway knows about objects back to the cluster.
//
// A [Report] is the current state of one object. All replicas take reports; the one that
// holds the Lease writes them, and only differences: load-balancer addresses, conditions, the
// Services that Gateways own, and Events. A [Writer] does that for a cluster. A [LogReporter]
// logs the verdicts for sources that cannot be written to.
//
// The writers of statuses and Services share a reconciler: a desired state for each object,
// a queue in which namespaces take turns, and retries. Each writer says what it needs of the
// cluster in a small interface; [Cluster] joins them.
package report
