package process

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSupervise(t *testing.T) {
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	supervise(ctx, slog.New(slog.NewTextHandler(&log, nil)), time.Millisecond, func(context.Context) error {
		switch runs++; runs {
		case 1:
			return errors.New("no such file")
		case 2:
			panic("a fault")
		}
		cancel()
		return nil
	})
	if runs != 3 {
		t.Errorf("%d runs", runs)
	}
	for _, says := range []string{"no such file", "a fault", "parts_test.go", "again_in=1ms", "again_in=2ms"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("log %s should say %q", log.String(), says)
		}
	}
}

func TestRecover(t *testing.T) {
	if err := Recover(func() error { return nil }); err != nil {
		t.Error(err)
	}
	err := Recover(func() error { panic("oh") })
	if panicked, ok := errors.AsType[*PanicError](err); !ok || panicked.Value != "oh" || len(panicked.Stack) == 0 {
		t.Errorf("error %v", err)
	}
}

// A log that is not read delays each line by a timeout at most, and later says how many lines were
// dropped.
func TestLogThatIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &deadlineWriter{file: file}
	line := append(bytes.Repeat([]byte("x"), 4095), '\n')
	for range 17 { // a pipe has 64 KiB at most
		if n, err := w.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if w.dropped == 0 {
		t.Error("no line is dropped")
	}
	if _, err := reader.Read(make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("after\n")); err != nil || w.dropped != 0 {
		t.Error(err, w.dropped)
	}
	rest := make([]byte, 64<<10)
	n, _ := reader.Read(rest)
	if text := string(rest[:n]); !strings.Contains(text, "The log was blocked") || !strings.HasSuffix(text, "after\n") {
		t.Errorf("%q", text[max(0, len(text)-200):])
	}
}

func TestContainerMemory(t *testing.T) {
	root := t.TempDir()
	membership := filepath.Join(root, "cgroup")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := containerMemory(root, membership); got != 0 {
		t.Errorf("without groups: %d", got)
	}
	write(membership, "0::/pods/x\n")
	write(filepath.Join(root, "pods/x/memory.max"), "max\n")
	if got := containerMemory(root, membership); got != 0 {
		t.Errorf("without limit: %d", got)
	}
	write(filepath.Join(root, "pods/memory.max"), "3000\n")
	if got := containerMemory(root, membership); got != 3000 {
		t.Errorf("limit above: %d", got)
	}
	write(filepath.Join(root, "pods/x/memory.max"), "1000\n")
	if got := containerMemory(root, membership); got != 1000 {
		t.Errorf("own limit: %d", got)
	}
	t.Setenv("GOMEMLIMIT", "5GiB")
	if got := limitMemory(root, membership); got != 0 {
		t.Errorf("over the environment: %d", got)
	}
}

func TestPrefixAbove(t *testing.T) {
	proc := t.TempDir()
	process := func(pid, title, parent string) {
		t.Helper()
		dir := filepath.Join(proc, pid)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"cmdline": title, "status": "Name:\tx\nPPid:\t" + parent + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	process("30", "nginx: worker process\x00\x00", "1")
	process("1", "nginx: master process /usr/local/openresty/nginx/sbin/nginx -p /kong_prefix/ -c nginx.conf\x00", "0")
	if got, ok := prefixAbove(proc, 30); got != "/kong_prefix" || !ok {
		t.Errorf("%q %v", got, ok)
	}
	process("40", "bash\x00-p\x00/x\x00", "39")
	if got, ok := prefixAbove(proc, 40); ok {
		t.Errorf("outside of Kong: %q", got)
	}
	process("2", "nginx: master process nginx", "0")
	if got, ok := prefixAbove(proc, 2); ok {
		t.Errorf("without an argument: %q", got)
	}
}

func TestClaimWithoutPrefix(t *testing.T) {
	if _, err := Claim(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "claiming the turn") {
		t.Errorf("error %v", err)
	}
}

func TestClaimOverGarbage(t *testing.T) {
	prefix := t.TempDir()
	if err := os.WriteFile(filepath.Join(prefix, "kube-sync.turn"), []byte("garbage that is longer than a number"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want := range uint64(3) {
		turn, err := Claim(prefix)
		if err != nil || turn.number != want+1 {
			t.Fatalf("turn %+v, error %v", turn, err)
		}
		defer turn.Close()
	}
}

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 800, 3 << 20: 400, 10 << 20: 100, 100 << 20: 12, 1 << 40: 12} {
		if got := growthFor(live); got != want {
			t.Errorf("with %d bytes that live the heap may grow by %d %%, want %d", live, got, want)
		}
	}
}
