// Package kubelet runs pods as local processes: a node without containers, for end-to-end tests.
//
// It registers one Node, binds every unscheduled pod to it, and runs the pods' containers:
//
//   - An image is a static executable, known by the image's name. A container's root file system has that executable,
//     its volumes, /etc/hosts and /tmp, and nothing else but what files of this machine the image asks for. Its
//     processes see only each other.
//   - A pod has a network namespace with an address of its own on a bridge, unless it asks for the host's network.
//   - Volumes: secret, configMap, emptyDir, projected (with ServiceAccount tokens) and downwardAPI, with items, modes,
//     subPath and optional; what they project stays as it was when the pod started.
//   - Environment: envFrom, fieldRef, secretKeyRef, configMapKeyRef, $(VAR), and where the API server is. What is
//     missing is waited for.
//   - Probes: startup, readiness and liveness by httpGet, tcpSocket and exec. Up to a container's first success
//     readiness is asked five times a second at least, so that tests needn't wait for a period.
//   - Containers are restarted by their policy, with a back-off that starts short. Init containers run before.
//   - Deletion is graceful: the API server's mark comes first, so that EndpointSlices say "terminating"; then preStop
//     (sleep, exec, httpGet) and SIGTERM, readiness being probed as before; SIGKILL after the grace period; last the
//     final status and the removal of the object.
//   - Logs are served to the API server, with follow, tailLines, since, previous and timestamps.
//
// Not there, and not missed so far: scheduling constraints, resource limits, users and capabilities, restartable init
// containers, gRPC probes, exec and port-forward, DNS, cluster IPs, and the adoption of pods that ran before a restart.
//
// The calling process has to be alone in its network, mount and process namespaces and privileged in them, as package
// lab arranges: the kernel then ends the pods with it.
package kubelet
