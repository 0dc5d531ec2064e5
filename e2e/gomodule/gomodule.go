// Package gomodule finds files of the modules that this program is built with.
package gomodule

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Files returns the paths of a module's files that match a pattern, in the version of go.mod. It
// returns an error if no file matches.
func Files(module, pattern string) ([]string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("find module %s: %w", module, err)
	}
	return Glob(strings.TrimSpace(string(dir)), pattern)
}

// Glob returns the paths of a directory's files that match a pattern. It returns an error if
// no file matches.
func Glob(dir, pattern string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no %s", dir, pattern)
	}
	return files, err
}
