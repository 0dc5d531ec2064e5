package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// document is one YAML document or JSON value of a stream.
type document struct {
	Position
	// text is the document as it is written, and first its first line. Comments may come
	// before the object.
	text  []byte
	first int
	// json is the document as JSON; nil if it has no value.
	json []byte
}

// eachDocument calls a function with each document of a stream. It stops at the first error
// of the function, and with a [SyntaxError] at a document that is not YAML.
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

// SyntaxError is the error for a document that is neither YAML nor JSON.
type SyntaxError struct {
	Position Position
	Err      error
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Err.Error() }

func (e *SyntaxError) Unwrap() error { return e.Err }

// documents returns a function that returns one document after the other, and io.EOF at
// the end.
func documents(stream io.Reader) func() (document, error) {
	buffered := bufio.NewReader(stream)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	plain, _, isJSON := yamlstream.GuessJSONStream(buffered, 4096)
	lines := &lineReader{from: bufio.NewReader(plain)}
	if isJSON {
		return jsonDocuments(lines)
	}
	return yamlDocuments(lines)
}

func jsonDocuments(lines *lineReader) func() (document, error) {
	values := json.NewDecoder(lines)
	return func() (document, error) {
		var value json.RawMessage
		err := values.Decode(&value)
		first := lines.read - bytes.Count(value, []byte("\n"))
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("line %d: %w", lines.read, err)
		}
		return document{Position: Position{Line: first}, text: value, first: first, json: value}, err
	}
}

func yamlDocuments(lines *lineReader) func() (document, error) {
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
		err = inFile(err, d.first)
		if bytes.Equal(d.json, []byte("null")) {
			d.json = nil
		}
		return d, err
	}
}

// lineInDocument is where an error of the YAML parser has its line, which counts from the start of the
// document.
var lineInDocument = regexp.MustCompile(`(?m)^(yaml: |  )line (\d+): `)

// inFile returns an error of the YAML parser with lines that count from the start of the file. The
// document starts at the line first.
func inFile(err error, first int) error {
	if err == nil || first == 1 {
		return err
	}
	return errors.New(lineInDocument.ReplaceAllStringFunc(err.Error(), func(place string) string {
		parts := lineInDocument.FindStringSubmatch(place)
		line, _ := strconv.Atoi(parts[2]) // digits
		return fmt.Sprintf("%sline %d: ", parts[1], first-1+line)
	}))
}

// comments counts the lines before the object: comments, empty lines and separators.
func comments(text []byte) (lines int) {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.HasPrefix(line, []byte("---")) {
			return lines
		}
		lines++
	}
	return 0
}
