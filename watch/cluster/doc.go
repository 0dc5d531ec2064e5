// Package cluster watches a Kubernetes API server, and writes to it for package report.
//
// [Cluster] is the source. It keeps an informer for each kind and scope. Objects are
// stripped to the fields that are read before they are cached, and a change of other fields is
// not delivered. Custom kinds are watched while the API server serves them, in the newest
// version that can be read. Secrets and ConfigMaps are watched as metadata; only the wanted
// ones are fetched whole.
//
// Words of this package:
//
//   - scope: the namespace, or the single object, that an informer may see
//   - wanted: the Secrets and ConfigMaps that some object refers to
//   - definition: a CustomResourceDefinition
//   - contact: the last sign of life of the API server
package cluster
