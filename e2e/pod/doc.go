// Package pod runs a gateway in the lab as its pod would: with kong-conf/kong.conf, a
// ServiceAccount's credentials in the usual place and no environment for kube-sync.
//
// Where the tests run against an existing cluster it is the gateway that is installed
// there: see lab.External. Tests that need more than that one offers are skipped.
//
// Here the gateway is the real Kong when there is one on PATH, and the stand-in of
// package standin otherwise. Tests that need Kong itself call [Pod.NeedKong].
package pod
