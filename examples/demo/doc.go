// Command demo is what "make run" starts: a local gateway in front of two small backends, which
// kube-sync configures from the manifests in examples/local/.
//
// If kong is on PATH, the gateway is Kong, DB-less and with kube-sync as its plugin server, as in
// the pod. Otherwise it is the stand-in of package standin. The demo prints which. It sends a few
// requests, prints the answers, then reports each change of the configuration until it is
// interrupted, and stops all processes.
//
// With -once it exits after the requests, with status 0 if all answers are right.
package main
