package process

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// logTimeout is how long a write may take: a log that is not read must not block the process.
const logTimeout = time.Second

// NewLog returns a logger that writes to Kong's error log: the standard error of the worker that
// started this process. Kong logs the output of its plugin servers at a level that it drops by
// default, and a busy worker does not empty the pipe. If the log cannot be opened, NewLog uses the
// standard error of this process. The format is "text" or "json".
func NewLog(level slog.Leveler, format string) *slog.Logger {
	w := parentStderr()
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func parentStderr() io.Writer {
	path := fmt.Sprintf("/proc/%d/fd/2", os.Getppid())
	// Do not block, so that writes to a pipe can have a deadline.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if err != nil {
		return os.Stderr
	}
	// A crash must be visible too. The runtime writes it before the process ends.
	_ = debug.SetCrashOutput(file, debug.CrashOptions{})
	return &deadlineWriter{file: file}
}

// deadlineWriter drops lines that are not taken in time, and later writes how many it dropped.
type deadlineWriter struct {
	mu      sync.Mutex
	file    *os.File
	dropped int
}

// Write takes whole lines. It reports success also for lines that it drops, as there is no other
// place to log to.
func (w *deadlineWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Regular files have no deadlines, and do not need them.
	_ = w.file.SetWriteDeadline(time.Now().Add(logTimeout))
	if w.dropped > 0 {
		if _, err := fmt.Fprintf(w.file, "level=WARN msg=\"The log was blocked\" dropped=%d\n", w.dropped); err != nil {
			w.dropped++
			return len(line), nil
		}
		w.dropped = 0
	}
	if _, err := w.file.Write(line); err != nil {
		w.dropped++
	}
	return len(line), nil
}
