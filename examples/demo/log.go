package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// warnings prints new warnings and errors of kube-sync and the stand-in from the log. Lines of Kong
// have another format.
type warnings struct {
	file   string
	offset int64
}

// skip skips the present content.
func (w *warnings) skip() error {
	info, err := os.Stat(w.file)
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	w.offset = info.Size()
	return nil
}

// show prints new content.
func (w *warnings) show() error {
	f, err := os.Open(w.file)
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, w.offset, 1<<20))
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	complete := strings.LastIndexByte(string(data), '\n') + 1
	w.offset += int64(complete)
	for line := range strings.Lines(string(data[:complete])) {
		for _, level := range []string{"level=WARN", "level=ERROR"} {
			if i := strings.Index(line, level); i >= 0 {
				fmt.Print("          ", line[i:])
				break
			}
		}
	}
	return nil
}

// tail returns the last lines of a file.
func tail(file string, lines int) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error() + "\n"
	}
	all := strings.SplitAfter(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "") + "\n"
}
