package process

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestUntilEnding(t *testing.T) {
	prefix := t.TempDir()
	told, kong := filepath.Join(prefix, endingFile), filepath.Join(prefix, "pids", "nginx.pid")
	if err := os.Mkdir(filepath.Dir(kong), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	write(kong, start)
	if ending(prefix) {
		t.Error("Kong ends without a word of the hook")
	}
	write(told, start.Add(-time.Second))
	if ending(prefix) {
		t.Error("the hook of an earlier container ends this Kong")
	}
	ctx := UntilEnding(t.Context(), prefix)
	if ctx.Err() != nil {
		t.Error("the context has ended before the hook")
	}
	write(told, start.Add(time.Second))
	<-ctx.Done()
	if t.Context().Err() != nil {
		t.Error("the given context has ended")
	}

	given, cancel := context.WithCancel(t.Context())
	ctx = UntilEnding(given, t.TempDir())
	cancel()
	<-ctx.Done()
}
