// Command demo is what "make run" starts: kube-sync on this machine alone, with a
// gateway in front of two small backends, following the manifests in examples/local/.
//
// The gateway is Kong where one is on PATH, DB-less and with kube-sync as its plugin
// server, as in the pod; otherwise it is the stand-in of package standin. The demo
// tells which. It asks a few questions, shows the answers, then reports each change of
// the configuration until it is interrupted, and leaves no process behind.
//
// With -once it exits after the questions, with status 0 if all answers are right.
package main
