// Package manifest reads Kubernetes manifests from files and watches them in place of a cluster.
//
// [Read] and [ReadFiles] stop at the first fault. [SurveyFiles] collects all faults that an
// API server would find. [Files] is the source that watches: a faulty file keeps the content
// that it had before.
package manifest
