package manifest

import (
	"bytes"
	"errors"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// Admit returns an object as an API server would store it, and the reasons for which the server
// would refuse it. Both objects are JSON.
type Admit func(kind schema.GroupVersionKind, object []byte) (admitted []byte, refused []error)

// Survey is the content of files and all their faults.
type Survey struct {
	Manifests
	Faults []Fault
	texts  map[Position]text // by the position of the document
}

// Fault is a reason for which an API server would refuse an object.
type Fault struct {
	Position Position
	// Key is empty if the document is not an object.
	Key unit.Key
	Err error
}

// DuplicateError is the error of an object that is in the manifests before.
type DuplicateError struct{ First Position }

func (e *DuplicateError) Error() string { return "the object is already in " + e.First.String() }

// text is a document as it is written, and its first line.
type text struct {
	written []byte
	line    int
}

// SurveyFiles reads like [ReadFiles], admits the objects and goes on after faults. It
// leaves out the objects that cannot be decoded. The error joins the errors of files that
// cannot be read and of documents that are not YAML.
func SurveyFiles(paths []string, of []kinds.Kind, admit Admit) (*Survey, error) {
	s := &surveyor{admits: admit, found: Survey{texts: map[Position]text{}}}
	s.reader = newReader(of, s)
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

// surveyor is the admission that collects faults.
type surveyor struct {
	reader *reader
	admits Admit
	found  Survey
}

func (s *surveyor) stream(name string, stream io.Reader) error {
	return eachDocument(name, stream, func(d document) error {
		s.found.texts[d.Position] = text{d.text, d.first}
		if err := s.reader.document(d.json, d.Position); err != nil {
			s.note(d.Position, err)
		}
		return nil
	})
}

// note implements admission.
func (s *surveyor) note(position Position, err error) bool {
	fault := Fault{Position: position, Err: err}
	if about, ok := errors.AsType[*ObjectError](err); ok {
		fault.Key, fault.Err = about.Key, about.Err
	}
	s.found.Faults = append(s.found.Faults, fault)
	return true
}

// admit implements admission.
func (s *surveyor) admit(kind kinds.Kind, gvk schema.GroupVersionKind, object []byte, position Position) (admitted []byte, faulty bool, err error) {
	admitted, refused := s.admits(gvk, object)
	for _, err := range refused {
		s.note(position, &ObjectError{keyOf(kind, object), err})
	}
	return admitted, len(refused) > 0, nil
}

// duplicates notes the objects that occur more than once and keeps the first of each.
func (s *surveyor) duplicates() {
	var once []Manifest
	seen := map[unit.Key]Position{}
	for _, m := range s.found.Objects {
		if first, ok := seen[m.Key]; ok {
			s.note(m.Position, &ObjectError{m.Key, &DuplicateError{first}})
			continue
		}
		seen[m.Key] = m.Position
		once = append(once, m)
	}
	s.found.Objects = once
}

// Text returns the document at a position as it is written, and its first line.
func (s *Survey) Text(p Position) (written []byte, line int) {
	p.Item = 0
	t := s.texts[p]
	return t.written, t.line
}
