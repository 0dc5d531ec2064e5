package kubelet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// followInterval is the pause between two reads of a followed log.
const followInterval = 50 * time.Millisecond

// logWriter writes a container's output with the time before each line.
type logWriter struct {
	mu      sync.Mutex
	file    *os.File
	partial []byte
}

func newLogWriter(path string) (*logWriter, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the log's directory: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("make the log: %w", err)
	}
	return &logWriter{file: file}, nil
}

// Write buffers an unfinished line.
func (w *logWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partial = append(w.partial, data...)
	end := bytes.LastIndexByte(w.partial, '\n') + 1
	if end == 0 {
		return len(data), nil
	}
	var out bytes.Buffer
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for line := range bytes.Lines(w.partial[:end]) {
		fmt.Fprintf(&out, "%s %s", now, line)
	}
	w.partial = append(w.partial[:0], w.partial[end:]...)
	_, err := w.file.Write(out.Bytes())
	return len(data), err
}

// Close writes an unfinished last line.
func (w *logWriter) Close() error {
	var err error
	if len(w.partial) > 0 {
		_, err = w.Write([]byte("\n"))
	}
	return errors.Join(err, w.file.Close())
}

// logOptions are the options of the pods' log subresource.
type logOptions struct {
	follow     bool
	previous   bool
	timestamps bool
	tailLines  int // -1 for all
	limitBytes int // -1 for all
	since      time.Time
}

// copyLog writes the lines of a log. With follow it goes on until the process that writes the log has ended.
func copyLog(ctx context.Context, to io.Writer, log io.Reader, options logOptions, ended <-chan struct{}) error {
	reader := bufio.NewReader(log)
	lines, rest, err := readLines(reader, "", options)
	if err != nil {
		return err
	}
	if options.tailLines >= 0 && len(lines) > options.tailLines {
		lines = lines[len(lines)-options.tailLines:]
	}
	left := options.limitBytes
	for {
		if left, err = writeLines(to, lines, left); err != nil || left == 0 || !options.follow {
			return err
		}
		last := false
		select {
		case <-ended:
			last = true // its last lines are still to be read
		default:
			if !sleep(ctx, followInterval) {
				return nil
			}
		}
		if lines, rest, err = readLines(reader, rest, options); err != nil {
			return err
		}
		if last && len(lines) == 0 {
			return nil
		}
	}
}

// readLines reads to the end. It returns an unfinished line as the rest, for the next call.
func readLines(reader *bufio.Reader, rest string, options logOptions) (lines []string, _ string, err error) {
	for {
		text, err := reader.ReadString('\n')
		rest += text
		if errors.Is(err, io.EOF) {
			return lines, rest, nil
		}
		if err != nil {
			return lines, rest, fmt.Errorf("read the log: %w", err)
		}
		stamp, line, _ := strings.Cut(rest, " ")
		if written, err := time.Parse(time.RFC3339Nano, stamp); err == nil && written.Before(options.since) {
			rest = ""
			continue
		}
		if options.timestamps {
			line = rest
		}
		lines, rest = append(lines, line), ""
	}
}

// writeLines writes at most left bytes, and returns how many may still be written. -1 is no limit.
func writeLines(to io.Writer, lines []string, left int) (int, error) {
	for _, line := range lines {
		if left >= 0 {
			line = line[:min(left, len(line))]
			left -= len(line)
		}
		if _, err := io.WriteString(to, line); err != nil {
			return left, err
		}
	}
	return left, nil
}
