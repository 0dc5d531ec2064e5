// Package gomodule finds files of the modules in go.mod, and packs what is generated from them.
package gomodule

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
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

// WriteGzip writes a file, compressed as far as it goes.
func WriteGzip(path string, content []byte) error {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, packed.Bytes(), 0o644) //nolint:gosec // a file of the repository
}

// ReadGzip returns the uncompressed content of a file.
func ReadGzip(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(content)
}
