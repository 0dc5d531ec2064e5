package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

const (
	nameEtcd              = "etcd"
	nameAPIServer         = "kube-apiserver"
	nameControllerManager = "kube-controller-manager"

	serviceCIDR      = "10.96.0.0/16"
	kubernetesIP     = "10.96.0.1" // the Service default/kubernetes
	kubernetesIssuer = "https://kubernetes.default.svc.cluster.local"
)

// controllers are those that the tests' clusters need. Without the node lifecycle controller a Node needs no leases.
// Endpoints are written for nobody: EndpointSlices took their place, and hand-written Endpoints are mirrored to them.
var controllers = []string{
	"clusterrole-aggregation-controller",
	"daemonset-controller",
	"deployment-controller",
	"endpointslice-controller",
	"endpointslice-mirroring-controller",
	"garbage-collector-controller",
	"job-controller",
	"namespace-controller",
	"replicaset-controller",
	"root-ca-certificate-publisher-controller",
	"serviceaccount-controller",
	"statefulset-controller",
	"validatingadmissionpolicy-status-controller",
}

func (c *cluster) etcdFlags() []string {
	return []string{
		"--name=" + nameEtcd,
		"--data-dir=" + filepath.Join(c.dir, nameEtcd),
		"--listen-client-urls=" + c.etcdURL(),
		"--advertise-client-urls=" + c.etcdURL(),
		"--listen-peer-urls=" + loopbackURL("http", c.ports.etcdPeer),
		"--initial-advertise-peer-urls=" + loopbackURL("http", c.ports.etcdPeer),
		"--initial-cluster=" + nameEtcd + "=" + loopbackURL("http", c.ports.etcdPeer),
		"--cert-file=" + c.pki.certFile(nameEtcd),
		"--key-file=" + c.pki.keyFile(nameEtcd),
		"--trusted-ca-file=" + c.pki.certFile("ca"),
		"--client-cert-auth=true",
		"--force-new-cluster=" + fmt.Sprint(c.existing), // earlier data names the peer port of then
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--quota-backend-bytes=4294967296",
	}
}

func (c *cluster) apiServerFlags() []string {
	return []string{
		"--bind-address=" + c.bindAddress,
		"--secure-port=" + fmt.Sprint(c.ports.apiServer),
		"--advertise-address=" + c.advertiseAddress, // else it looks for a default route
		"--endpoint-reconciler-type=none",           // else it writes an Endpoints that validation refuses
		"--tls-cert-file=" + c.pki.certFile(nameAPIServer),
		"--tls-private-key-file=" + c.pki.keyFile(nameAPIServer),
		"--client-ca-file=" + c.pki.certFile("ca"),
		"--etcd-servers=" + c.etcdURL(),
		"--etcd-cafile=" + c.pki.certFile("ca"),
		"--etcd-certfile=" + c.pki.certFile("etcd-client"),
		"--etcd-keyfile=" + c.pki.keyFile("etcd-client"),
		"--kubelet-client-certificate=" + c.pki.certFile("kubelet-client"),
		"--kubelet-client-key=" + c.pki.keyFile("kubelet-client"),
		"--kubelet-preferred-address-types=InternalIP", // there is no DNS for node names
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-cluster-ip-range=" + serviceCIDR,
		"--service-account-issuer=" + kubernetesIssuer,
		"--service-account-key-file=" + c.pki.file("service-account.pub"),
		"--service-account-signing-key-file=" + c.pki.keyFile("service-account"),
		"--shutdown-watch-termination-grace-period=1s", // else a stop waits for watches that nothing ends
		// What follows saves processor time, above all at the start.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=2000",
		"--max-mutating-requests-inflight=2000",
		"--profiling=false",
		"--etcd-compaction-interval=0",
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",
		"--event-ttl=10m",
		// The log is written to as requests end, so that at any time it has all that were answered.
		"--audit-policy-file=" + c.auditPolicyFile(),
		"--audit-log-path=" + c.auditLog(),
		"--audit-log-mode=blocking",
	}
}

func (c *cluster) controllerManagerFlags() []string {
	return []string{
		"--kubeconfig=" + c.kubeconfigFile(nameControllerManager),
		"--authentication-kubeconfig=" + c.kubeconfigFile(nameControllerManager),
		"--authorization-kubeconfig=" + c.kubeconfigFile(nameControllerManager),
		"--authentication-skip-lookup=true",
		"--bind-address=127.0.0.1",
		"--secure-port=" + fmt.Sprint(c.ports.controllerManager),
		"--tls-cert-file=" + c.pki.certFile(nameControllerManager),
		"--tls-private-key-file=" + c.pki.keyFile(nameControllerManager),
		"--root-ca-file=" + c.pki.certFile("ca"),
		"--service-account-private-key-file=" + c.pki.keyFile("service-account"),
		"--use-service-account-credentials=true", // else the controllers lack their roles
		"--leader-elect=false",
		"--kube-api-qps=500", // the default of 20 is slow
		"--kube-api-burst=1000",
		"--endpointslice-updates-batch-period=0s",
		"--controllers=" + strings.Join(c.controllers, ","),
		"--profiling=false",
	}
}

func (c *cluster) etcdURL() string { return loopbackURL("https", c.ports.etcd) }

func loopbackURL(scheme string, port int) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
}
