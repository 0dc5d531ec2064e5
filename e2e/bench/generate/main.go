// Command generate writes the pages of the benchmarks' results from their data, in a directory.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kube-sync/kube-sync/e2e/bench"
)

func main() {
	dir := os.Args[1]
	pages, err := bench.Pages(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	for name, content := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil { //nolint:gosec // files of the repository
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}
