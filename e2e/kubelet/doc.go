// Package kubelet runs pods as local processes: a node without containers, for end-to-end tests.
//
// It registers one Node, binds every unscheduled pod to it, and runs the pods' containers:
//
//   - An image is a static executable, known by the image's name. A container's root file system has that executable,
//     its volumes, /etc/hosts, /tmp, and the files of this machine that the image names. Its processes see only each
//     other.
//   - A pod has a network namespace with its own address on a bridge, unless it uses the host's network.
//   - Volumes: secret, configMap, emptyDir, projected (with ServiceAccount tokens) and downwardAPI, with items, modes,
//     subPath and optional. Their content does not change after the pod has started.
//   - Environment: envFrom, fieldRef, secretKeyRef, configMapKeyRef, $(VAR), and the address of the API server.
//     A container waits for missing objects.
//   - Probes: startup, readiness and liveness by httpGet, tcpSocket and exec. Up to the first success,
//     readiness is probed at least five times a second, so that tests need not wait for a period.
//   - Containers are restarted by their policy, with a back-off that starts short. Init containers run first.
//   - Deletion is graceful: first the API server marks the pod, so that EndpointSlices say "terminating". Then come
//     preStop (sleep, exec, httpGet) and SIGTERM, while readiness is still probed; SIGKILL after the grace period; the
//     final status; and the removal of the object.
//   - Logs are served to the API server, with follow, tailLines, since, previous and timestamps.
//
// Not supported: scheduling constraints, resource limits, users and capabilities, restartable init
// containers, gRPC probes, exec and port-forward, DNS, cluster IPs, and adopting pods after a restart.
//
// The calling process has to be alone in its network, mount and process namespaces and privileged in them, as package
// lab arranges: the kernel then ends the pods with it.
package kubelet
