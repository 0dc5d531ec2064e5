package process

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Prefix returns the prefix of the Kong that started this process. Kong does not pass it to its
// plugin servers, but it is on the command line of nginx's master.
func Prefix() (prefix string, ok bool) {
	return prefixAbove("/proc", os.Getppid())
}

// prefixAbove looks for the master among a process and its ancestors.
func prefixAbove(proc string, pid int) (string, bool) {
	for range 4 {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		title, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			return "", false
		}
		if bytes.HasPrefix(title, []byte("nginx: master process")) {
			// nginx writes its arguments into the title, separated by spaces or zeros.
			words := strings.FieldsFunc(string(title), func(r rune) bool { return r == ' ' || r == 0 })
			if i := slices.Index(words, "-p"); i >= 0 && i+1 < len(words) {
				return filepath.Clean(words[i+1]), true
			}
			return "", false
		}
		if pid = parentOf(dir); pid < 1 {
			return "", false
		}
	}
	return "", false
}

func parentOf(dir string) int {
	status, _ := os.ReadFile(filepath.Join(dir, "status"))
	for line := range strings.SplitSeq(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			pid, _ := strconv.Atoi(strings.TrimSpace(value))
			return pid
		}
	}
	return 0
}
