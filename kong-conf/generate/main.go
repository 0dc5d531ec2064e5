// Command generate writes the generated files of kong-conf, which has to be the working directory.
package main

import (
	"fmt"
	"os"

	"github.com/kube-sync/kube-sync/kong-conf/internal/generated"
)

func main() {
	files, err := generated.Files()
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil { //nolint:gosec // files of the repository
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}
