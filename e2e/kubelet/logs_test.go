package kubelet

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLogs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "c-0.log")
	w, err := newLogWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("one\ntw")
	write("o\n")
	time.Sleep(2 * time.Millisecond)
	later := time.Now()
	write("three\nfour, unfinished")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all := "one\ntwo\nthree\nfour, unfinished\n"
	for name, test := range map[string]struct {
		options logOptions
		want    string
	}{
		"all":    {logOptions{tailLines: -1, limitBytes: -1}, all},
		"follow": {logOptions{tailLines: -1, limitBytes: -1, follow: true}, all},
		"tail":   {logOptions{tailLines: 2, limitBytes: -1}, "three\nfour, unfinished\n"},
		"none":   {logOptions{tailLines: 0, limitBytes: -1}, ""},
		"limit":  {logOptions{tailLines: -1, limitBytes: 6}, "one\ntw"},
		"since":  {logOptions{tailLines: -1, limitBytes: -1, since: later}, "three\nfour, unfinished\n"},
	} {
		ended := make(chan struct{})
		close(ended)
		var got bytes.Buffer
		if err := copyLog(t.Context(), &got, open(t, path), test.options, ended); err != nil || got.String() != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got.String(), err, test.want)
		}
	}
	var stamped bytes.Buffer
	options := logOptions{tailLines: 1, limitBytes: -1, timestamps: true}
	if err := copyLog(t.Context(), &stamped, open(t, path), options, nil); err != nil {
		t.Fatal(err)
	}
	stamp, line, _ := strings.Cut(stamped.String(), " ")
	if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil || line != "four, unfinished\n" {
		t.Errorf("with timestamps: %q", stamped.String())
	}
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}
