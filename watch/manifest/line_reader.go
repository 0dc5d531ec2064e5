package manifest

import (
	"bufio"
	"bytes"
)

// lineReader returns at most one line from each Read and counts the lines that it has
// returned. A caller that reads line by line therefore knows in which line it is.
type lineReader struct {
	from *bufio.Reader
	rest []byte // of a line that was longer than the buffer of a Read
	read int
	last []byte
	done bool
}

// Read implements [io.Reader].
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err := l.from.ReadBytes('\n')
		if len(line) == 0 {
			l.done = true
			return 0, err
		}
		l.rest, l.last = line, line
		l.read++
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// separators returns the number of lines that were read after the end of a document: 1 if a
// separator ended it, 0 if the end of the stream did.
func (l *lineReader) separators() int {
	if !l.done && bytes.HasPrefix(l.last, []byte("---")) {
		return 1
	}
	return 0
}
