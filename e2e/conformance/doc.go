// Package conformance runs the official conformance suite of Gateway API, as it is, against the gateway.
//
//	make conformance                                                all that is claimed, and report it
//	make conformance ARGS='-quick -run HTTPRouteHeaderMatching'     one test, or those of a regular expression
//	make conformance ARGS='-also HTTPRouteCORS,ListenerSet'         with features that are not claimed; "all" is all
//
// The cluster is one of package lab, with the definitions of Gateway API's experimental channel. kong-conf/install.yaml
// is installed in it, with manifests/gatewayservices: the gateway is two pods of the real Kong, behind a load balancer that gives each Service an
// address. The suite's pods are processes as well. The suite runs inside the lab's network and asks Gateways at the
// addresses of their statuses.
//
// One setting differs from the default: the namespace of the suite may choose the certificate for all hosts, which its
// listeners without a hostname ask for.
//
// What is claimed says the GatewayClass, where the suite reads it: package gatewayapi has the list, and a reason for each
// feature that is not on it. A profile is run if the kind of routes that it is about is claimed. A whole
// run leaves the suite's report, the outcome of each test and a page of both in e2e/results; one with any of the options
// above reports nothing. Without kong on PATH the stand-in gateway is tested, by those tests that ask for nothing but what
// it does, and nothing is reported either.
//
// The logs of the suite and of the gateway are in .run/conformance. The suite, its backend and CoreDNS are modules of
// their own (suite, coredns), which kube-sync does not depend on; they are built once and kept in the user's cache.
package conformance
