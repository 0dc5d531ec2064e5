// Package pod runs a gateway in the lab as its pod would: with kong-conf/kong.conf, a
// ServiceAccount's credentials in the usual place and no environment for kube-sync.
//
// The gateway is the real Kong when there is one on PATH, and the stand-in of
// package standin otherwise. Tests that need Kong itself call [Pod.NeedKong].
package pod
