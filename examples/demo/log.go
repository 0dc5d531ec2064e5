package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// news prints what is new in the log of the gateway: warnings and errors of kube-sync and the stand-in,
// and what is well again. Lines of Kong have another format.
type news struct {
	file   string
	offset int64
	out    io.Writer
}

var (
	faults   = []string{`msg="object has a fault"`, `msg="manifest rejected"`}
	repairs  = []string{`msg="object is accepted again"`, `msg="all manifests accepted"`}
	warnings = []string{"level=WARN", "level=ERROR"}
)

// showStart prints the faults of the manifests with which the gateway has started.
func (n *news) showStart() error { return n.showLines(faults) }

// show prints new content.
func (n *news) show() error { return n.showLines(slices.Concat(warnings, repairs)) }

// showLines prints the new lines with one of the parts, without their times.
func (n *news) showLines(parts []string) error {
	f, err := os.Open(n.file)
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, n.offset, 1<<20))
	if err != nil {
		return fmt.Errorf("log of the gateway: %w", err)
	}
	complete := strings.LastIndexByte(string(data), '\n') + 1
	n.offset += int64(complete)
	for line := range strings.Lines(string(data[:complete])) {
		level := strings.Index(line, "level=")
		if level >= 0 && slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(line[level:], part) }) {
			fmt.Fprint(n.out, "          ", line[level:])
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
