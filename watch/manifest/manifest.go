package manifest

import (
	"fmt"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Position says where a manifest was read.
type Position struct {
	File string
	// Document counts the documents of the file from 1, including empty ones. The object of
	// the document starts at Line, which also counts from 1.
	Document, Line int
	// Item counts the items of a List from 1; 0 outside of a List.
	Item int
}

// String returns the form for messages: "shop.yaml: document 3".
func (p Position) String() string {
	s := fmt.Sprintf("%s: document %d", p.File, p.Document)
	if p.Item > 0 {
		s += fmt.Sprintf(", item %d", p.Item)
	}
	return s
}

// Manifest is an object and where it was read.
type Manifest struct {
	Key      unit.Key
	Object   unit.Object
	Position Position
}

// Ignored is an object of a kind that is not read.
type Ignored struct {
	APIVersion, Kind, Name string
	Position               Position
}

// Manifests are the contents of one or more files, in their order.
type Manifests struct {
	Objects []Manifest
	Ignored []Ignored
}

// unique returns an error if two manifests are of one object.
func (m Manifests) unique() error {
	seen := make(map[unit.Key]Position, len(m.Objects))
	for _, manifest := range m.Objects {
		if first, ok := seen[manifest.Key]; ok {
			return duplicate(manifest, first)
		}
		seen[manifest.Key] = manifest.Position
	}
	return nil
}

func duplicate(m Manifest, first Position) error {
	return fmt.Errorf("%v: %v is already in %v", m.Position, m.Key, first)
}

// ObjectError is a fault of one object.
type ObjectError struct {
	Key unit.Key
	Err error
}

func (e *ObjectError) Error() string { return fmt.Sprintf("%v: %v", e.Key, e.Err) }

func (e *ObjectError) Unwrap() error { return e.Err }
