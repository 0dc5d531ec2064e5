// Command demo is what "make run" starts: a local gateway in front of two small backends, which
// kube-sync configures from the manifests in examples/local/.
//
// If kong is on PATH, the gateway is Kong, DB-less and with kube-sync as its plugin server, as in
// the pod. If Docker has the image that "make image" builds, it is that image. Otherwise it is the
// stand-in of package standin. The demo prints which. It sends a few requests, prints the answers and
// changes to try, then reports each change of the configuration and each fault until it is
// interrupted, and stops all processes. They also end if the demo is killed.
//
// With -once it exits after the requests, with status 0 if all answers are right.
package main
