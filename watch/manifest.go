package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/schema"
)

// Position says where a manifest was read.
type Position struct {
	File string
	// Document counts the documents of the file from 1, empty ones included; it begins
	// in the Line.
	Document, Line int
	// Item counts the items of a List from 1; 0 for what is in no List.
	Item int
}

// String gives the form that messages use: "shop.yaml: document 3".
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

// Ignored is an object of a kind that isn't read.
type Ignored struct {
	APIVersion, Kind, Name string
	Position               Position
}

// Manifests is what one or more files hold, in their order.
type Manifests struct {
	Objects []Manifest
	Ignored []Ignored
}

// ReadManifests reads the objects in a stream of YAML documents or JSON values,
// as kubectl does: Lists are flattened and what is namespaced and names no
// namespace is in "default". As an API server would, it fills in defaults, puts
// stringData into data, takes custom kinds in any of their versions, and refuses
// fields that the kind doesn't have. UIDs and creation times that a manifest lacks
// stay empty. The name stands in positions and errors, such as `shop.yaml: document
// 3: no apiVersion`; "-" is "stdin".
func ReadManifests(name string, stream io.Reader, kinds []Kind) (Manifests, error) {
	reader := newManifestReader(kinds)
	err := eachDocument(name, stream, func(d document) error {
		if err := reader.document(d.json, d.Position); err != nil {
			return fmt.Errorf("%v: %w", d.Position, err)
		}
		return nil
	})
	if err != nil {
		return Manifests{}, err
	}
	return reader.read, reader.read.unique()
}

// unique returns an error that names two manifests of one object, if there are.
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

// ObjectError is what is wrong with one object.
type ObjectError struct {
	Key unit.Key
	Err error
}

func (e *ObjectError) Error() string { return fmt.Sprintf("%v: %v", e.Key, e.Err) }

func (e *ObjectError) Unwrap() error { return e.Err }

func duplicate(m Manifest, first Position) error {
	return fmt.Errorf("%v: %v is already in %v", m.Position, m.Key, first)
}

// manifestReader gathers objects from documents.
type manifestReader struct {
	kinds map[runtimeschema.GroupVersionKind]Kind
	// custom are those of the kinds whose versions an API server converts.
	custom map[runtimeschema.GroupKind]Kind
	read   Manifests
	// survey, if set, hears of faults that don't end the reading.
	survey *surveyor
}

func newManifestReader(kinds []Kind) *manifestReader {
	r := &manifestReader{kinds: map[runtimeschema.GroupVersionKind]Kind{}, custom: map[runtimeschema.GroupKind]Kind{}}
	for _, kind := range kinds {
		r.kinds[kind.GroupVersionKind()] = kind
		if kind.Custom {
			r.custom[kind.GroupVersionKind().GroupKind()] = kind
		}
	}
	return r
}

// kind finds the kind that is read of what an object says of itself.
func (r *manifestReader) kind(is metav1.TypeMeta) (Kind, bool) {
	full := runtimeschema.FromAPIVersionAndKind(is.APIVersion, is.Kind)
	if kind, ok := r.kinds[full]; ok {
		return kind, true
	}
	kind, ok := r.custom[full.GroupKind()]
	return kind, ok
}

// head is what tells the kind of an object, and whether it is a List.
type head struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

func (r *manifestReader) document(document []byte, position Position) error {
	if document == nil {
		return nil
	}
	var head head
	if document[0] != '{' || json.Unmarshal(document, &head) != nil {
		return errors.New("not a Kubernetes object")
	}
	switch {
	case head.APIVersion == "":
		return errors.New("no apiVersion")
	case head.Kind == "":
		return errors.New("no kind")
	case strings.HasSuffix(head.Kind, "List"):
		return r.list(head, position)
	case head.Metadata.Name == "":
		return fmt.Errorf("%s without metadata.name", head.Kind)
	}
	kind, ok := r.kind(head.TypeMeta)
	if !ok {
		r.read.Ignored = append(r.read.Ignored, Ignored{
			APIVersion: head.APIVersion, Kind: head.Kind, Name: head.Metadata.Name, Position: position})
		return nil
	}
	return r.object(kind, runtimeschema.FromAPIVersionAndKind(head.APIVersion, head.Kind), document, position)
}

// list flattens one; items are numbered within their document. The items of a
// typed list may leave out their kind.
func (r *manifestReader) list(list head, position Position) error {
	for _, item := range list.Items {
		position.Item++
		if list.Kind != "List" {
			item = typed(item, list.APIVersion, strings.TrimSuffix(list.Kind, "List"))
		}
		err := r.document(item, position)
		if err != nil && !r.survey.hears(position, err) {
			return fmt.Errorf("item %d: %w", position.Item, err)
		}
	}
	return nil
}

// typed gives an object the apiVersion and kind that it lacks.
func typed(object json.RawMessage, version, kind string) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(object, &fields) != nil || fields["kind"] != nil {
		return object
	}
	fields["apiVersion"], _ = json.Marshal(version)
	fields["kind"], _ = json.Marshal(kind)
	object, _ = json.Marshal(fields)
	return object
}

func (r *manifestReader) object(kind Kind, is runtimeschema.GroupVersionKind, document []byte, position Position) error {
	if kind.Convert != nil {
		document = converted(kind, document)
	}
	document, faulty := r.survey.object(kind, is, document, position)
	if r.survey == nil && kind.Custom {
		filled, err := schema.Default(is, document)
		if err != nil {
			return &ObjectError{named(kind, document), err}
		}
		document = filled
	}
	object := kind.New()
	strict, err := kjson.UnmarshalStrict(document, object)
	if err != nil {
		if faulty { // which says it better
			return nil
		}
		return &ObjectError{named(kind, document), err}
	}
	key := placed(kind, object)
	if err := misnamed(key); err != nil && !r.survey.hears(position, &ObjectError{key, err}) {
		return &ObjectError{key, err}
	}
	for _, err := range strict {
		if !faulty && !r.survey.hears(position, &ObjectError{key, err}) {
			return &ObjectError{key, errors.Join(strict...)}
		}
	}
	object.GetObjectKind().SetGroupVersionKind(kind.GroupVersionKind())
	if kind.Default != nil {
		kind.Default(object)
	}
	kind.strip(object)
	r.read.Objects = append(r.read.Objects, Manifest{Key: key, Object: object, Position: position})
	return nil
}

// converted is an object as the kind has fields for. What is no object stays what it is.
func converted(kind Kind, document []byte) []byte {
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if decoder.Decode(&tree) != nil {
		return document
	}
	kind.Convert(tree)
	object, err := json.Marshal(tree)
	if err != nil {
		return document
	}
	return object
}

// placed sets the namespace that an object is in, and gives its key.
func placed(kind Kind, object unit.Object) unit.Key {
	switch {
	case !kind.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return kind.key(object)
}

// misnamed says what is wrong with an object's name or namespace.
func misnamed(key unit.Key) error {
	check := validation.IsDNS1123Subdomain
	if key.Kind == unit.Service || key.Kind == unit.Namespace {
		check = validation.IsDNS1123Label
	}
	metadata := field.NewPath("metadata")
	if problems := check(key.Name); len(problems) > 0 {
		return field.Invalid(metadata.Child("name"), key.Name, strings.Join(problems, ", "))
	}
	if key.Namespace == "" {
		return nil
	}
	if problems := validation.IsDNS1123Label(key.Namespace); len(problems) > 0 {
		return field.Invalid(metadata.Child("namespace"), key.Namespace, strings.Join(problems, ", "))
	}
	return nil
}

// named is the key of an object that cannot be decoded.
func named(kind Kind, document []byte) unit.Key {
	var m metav1.PartialObjectMetadata
	_ = json.Unmarshal(document, &m)
	return placed(kind, &m)
}
