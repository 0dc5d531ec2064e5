// Package pod runs a gateway in the lab as in its pod: with kong-conf/kong.conf, the credentials
// of a ServiceAccount in the usual place, and no environment for kube-sync.
//
// If the tests run against an existing cluster (see lab.External), the gateway is the one that is
// installed there. Tests that need more than it offers are skipped.
//
// In the lab, the gateway is a real Kong if one is on PATH, and otherwise the stand-in of package
// standin. Tests that need Kong itself call [Pod.NeedKong].
package pod
