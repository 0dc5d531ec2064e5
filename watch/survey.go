package watch

import (
	"bytes"
	"errors"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Admit gives an object of a custom kind as an API server would store it, and says what
// it would refuse of it. Both are JSON.
type Admit func(kind schema.GroupVersionKind, object []byte) (admitted []byte, refused []error)

// Survey is what files hold, and all that is wrong with it.
type Survey struct {
	Manifests
	Faults []Fault
	texts  map[Position]text // by the position of the document
}

// Fault is something that an API server would refuse.
type Fault struct {
	Position Position
	// Key is empty for what is no object.
	Key unit.Key
	Err error
}

// text is a document as it is written, from a line on.
type text struct {
	written []byte
	line    int
}

// SurveyManifestFiles reads like [ReadManifestFiles], has custom objects admitted and
// goes on after faults; what cannot be decoded for them is not among the objects. The
// error is of what cannot be read at all: files, and documents that are not YAML.
func SurveyManifestFiles(paths []string, kinds []Kind, admit Admit) (*Survey, error) {
	s := &surveyor{reader: newManifestReader(kinds), admit: admit}
	s.reader.survey = s
	s.found.texts = map[Position]text{}
	var problems []error
	for _, path := range paths {
		if path == "-" {
			problems = append(problems, s.stream(path, os.Stdin))
			continue
		}
		found, err := find(path)
		problems = append(problems, err)
		for _, file := range found.files {
			content, err := os.ReadFile(file)
			problems = append(problems, err, s.stream(file, bytes.NewReader(content)))
		}
	}
	s.found.Manifests = s.reader.read
	s.duplicates()
	return &s.found, errors.Join(problems...)
}

// surveyor is the state of a survey.
type surveyor struct {
	reader *manifestReader
	admit  Admit
	found  Survey
}

func (s *surveyor) stream(name string, stream io.Reader) error {
	return eachDocument(name, stream, func(d document) error {
		s.found.texts[d.Position] = text{d.text, d.first}
		if err := s.reader.document(d.json, d.Position); err != nil {
			s.hears(d.Position, err)
		}
		return nil
	})
}

// hears notes a fault. A nil surveyor leaves it to the caller.
func (s *surveyor) hears(position Position, err error) bool {
	if s == nil {
		return false
	}
	fault := Fault{Position: position, Err: err}
	if about, ok := errors.AsType[*ObjectError](err); ok {
		fault.Key, fault.Err = about.Key, about.Err
	}
	s.found.Faults = append(s.found.Faults, fault)
	return true
}

// object has an object admitted. It gives what the object is to be decoded from, and
// tells whether anything was wrong.
func (s *surveyor) object(kind Kind, is schema.GroupVersionKind, object []byte, position Position) (admitted []byte, faulty bool) {
	if s == nil || !kind.Custom {
		return object, false
	}
	admitted, refused := s.admit(is, object)
	for _, err := range refused {
		s.hears(position, &ObjectError{named(kind, object), err})
	}
	return admitted, len(refused) > 0
}

// duplicates notes what is there twice. The first counts.
func (s *surveyor) duplicates() {
	var once []Manifest
	seen := map[unit.Key]Position{}
	for _, m := range s.found.Objects {
		if first, ok := seen[m.Key]; ok {
			s.hears(m.Position, &ObjectError{m.Key, errors.New("is already in " + first.String())})
			continue
		}
		seen[m.Key] = m.Position
		once = append(once, m)
	}
	s.found.Objects = once
}

// Text is the document of a position as it is written, and the line that it begins in.
func (s *Survey) Text(p Position) (written []byte, line int) {
	p.Item = 0
	t := s.texts[p]
	return t.written, t.line
}
