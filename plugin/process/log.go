package process

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// A reader of the log that has stopped must not stop us.
const logTimeout = time.Second

// NewLog makes a logger that writes where Kong's own error log goes: standard error
// of the worker that started this process. Kong puts what its plugin servers print
// into its log at a level that it drops by default, and a worker that is busy does
// not empty the pipe. Without access to that file, our own standard error has to do.
// The format is "text" or "json".
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
	// Without blocking, so that writes to a pipe can have a deadline.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if err != nil {
		return os.Stderr
	}
	return &patientWriter{file: file}
}

// patientWriter drops what is not taken in time, and says later how much it was.
type patientWriter struct {
	mu      sync.Mutex
	file    *os.File
	dropped int
}

// Write takes whole lines. It reports success also for those that it drops: there is
// nobody else to tell.
func (w *patientWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Regular files have no deadlines, and no need of them.
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
