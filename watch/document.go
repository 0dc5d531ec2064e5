package watch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// document is one of a stream of manifests.
type document struct {
	Position
	// text is what is written, as YAML or JSON, and first its line; the object may be
	// after comments.
	text  []byte
	first int
	// json is the same as JSON, nil for a document without a value.
	json []byte
}

// eachDocument calls a function with each document of a stream until one returns an
// error, or a document is not YAML.
func eachDocument(name string, stream io.Reader, use func(document) error) error {
	if name == "-" {
		name = "stdin"
	}
	next := documents(stream)
	for n := 1; ; n++ {
		d, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		d.File, d.Document = name, n
		if err != nil {
			return &SyntaxError{d.Position, err}
		}
		if err := use(d); err != nil {
			return err
		}
	}
}

// SyntaxError says that a document is neither YAML nor JSON.
type SyntaxError struct {
	Position Position
	Err      error
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Err.Error() }

func (e *SyntaxError) Unwrap() error { return e.Err }

// documents returns a function that gives one document after the other, and io.EOF
// at the end.
func documents(stream io.Reader) func() (document, error) {
	buffered := bufio.NewReader(stream)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	plain, _, isJSON := yamlstream.GuessJSONStream(buffered, 4096)
	lines := &lineReader{from: bufio.NewReader(plain)}
	if isJSON {
		values := json.NewDecoder(lines)
		return func() (document, error) {
			var value json.RawMessage
			err := values.Decode(&value)
			first := lines.read - bytes.Count(value, []byte("\n"))
			return document{Position: Position{Line: first}, text: value, first: first, json: value}, err
		}
	}
	// A buffer of one line takes no more from the stream than the document has.
	parts := yamlstream.NewYAMLReader(bufio.NewReader(lines))
	return func() (document, error) {
		part, err := parts.Read()
		if err != nil {
			return document{Position: Position{Line: max(1, lines.read)}}, err
		}
		d := document{text: part, first: lines.read + 1 - lines.separators() - bytes.Count(part, []byte("\n"))}
		d.Line = d.first + comments(part)
		d.json, err = yaml.YAMLToJSONStrict(part)
		if bytes.Equal(d.json, []byte("null")) {
			d.json = nil
		}
		return d, err
	}
}

// comments counts the lines before anything is said: comments, empty ones and separators.
func comments(text []byte) (lines int) {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("---")) {
			return lines
		}
		lines++
	}
	return 0
}

// lineReader gives no more than one line to each Read, and counts them: whoever reads
// line by line has then read as many as were given.
type lineReader struct {
	from *bufio.Reader
	rest []byte // of a line that was longer than the buffer of a Read
	read int
	last []byte
	done bool
}

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

// separators counts the lines that were read after a document: one, if that and not
// the end of the stream is what it ended with.
func (l *lineReader) separators() int {
	if !l.done && bytes.HasPrefix(l.last, []byte("---")) {
		return 1
	}
	return 0
}
