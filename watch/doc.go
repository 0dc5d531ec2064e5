// Package watch is the cluster: it delivers what Kubernetes holds as changes and
// writes statuses and events back.
//
// There are two sources, behind one interface: a cluster's API server, through
// informers ([Cluster]), and files of manifests ([Files]). Both coalesce: a
// consumer that is busy finds, when it takes the next batch, each object once and
// as it is by then. Objects are stripped of what the translation doesn't read,
// and a change of nothing else isn't delivered.
//
// The way back is a [Reporter]: a [Writer] for a cluster, which writes only
// differences and only while it holds the one Lease, or a [LogReporter].
//
// What is to be known about a kind of object is its [Kind]; the sources take a
// list of them, so a further kind is a further value. Custom kinds are watched
// while the API server serves them.
package watch
