package input

import (
	"context"
	"flag"
)

// Source says where a command's objects come from: files, or a cluster.
type Source struct {
	// Paths are as for [Files].
	Paths []string
	// Cluster is set if the objects are those of a cluster.
	Cluster bool
	Access  Access
}

// Flags adds the flags that choose a cluster.
func (s *Source) Flags(f *flag.FlagSet) {
	f.BoolVar(&s.Cluster, "cluster", false, "read the cluster of the kubeconfig")
	s.Access.Flags(f)
}

// Named reports whether there is something to read.
func (s *Source) Named() bool { return s.Cluster || len(s.Paths) > 0 }

// Read returns the objects of the cluster if it is named, or else those of the files.
func (s *Source) Read(ctx context.Context) (*Objects, error) {
	if s.Cluster {
		return Cluster(ctx, s.Access)
	}
	return Files(s.Paths)
}
