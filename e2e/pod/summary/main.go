// Command summary prints the gateway that end-to-end tests met. Its argument is the file that they wrote.
package main

import (
	"fmt"
	"os"

	"github.com/kube-sync/kube-sync/e2e/lab/summary"
)

func main() {
	written, err := os.ReadFile(os.Args[1])
	if err != nil && !os.IsNotExist(err) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(summary.Of(string(written)))
}
