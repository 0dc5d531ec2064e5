// Package input reads the objects that a command works on: manifests in files and on standard
// input, or the cluster of a kubeconfig. Both are read as the gateway reads them.
//
// Words of this package:
//
//   - overlay: objects as they are after manifests have been applied to them
package input
