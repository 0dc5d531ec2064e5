package cli

import (
	"flag"
	"fmt"

	"github.com/kube-sync/kube-sync/plugin/cli/input"
)

// parseSource parses the arguments of a command that reads manifests or a cluster.
func (t terminal) parseSource(f *flag.FlagSet, args []string) (source input.Source, err error) {
	source.Flags(f)
	if source.Paths, err = parsePaths(f, args); err != nil {
		return source, err
	}
	if !source.Named() {
		fmt.Fprintf(t.err, "kube-sync %s: neither manifests nor --cluster are given\n", f.Name())
		f.Usage()
		return source, errUsage
	}
	return source, nil
}
