// Command summary prints the last line of make test: the gateway of the end-to-end
// tests. Its argument is the file that they wrote.
package main

import (
	"fmt"
	"os"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

func main() {
	written, err := os.ReadFile(os.Args[1])
	if err != nil && !os.IsNotExist(err) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(lab.Summary(string(written)))
}
