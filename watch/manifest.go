package watch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// Position says where a manifest was read.
type Position struct {
	File string
	// Document counts the documents of the file from 1, empty ones included.
	Document int
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
// stringData into data, and refuses fields that the kind doesn't have. UIDs and
// creation times that a manifest lacks stay empty. The name stands in positions
// and errors, such as `shop.yaml: document 3: no apiVersion`; "-" is "stdin".
func ReadManifests(name string, stream io.Reader, kinds []Kind) (Manifests, error) {
	if name == "-" {
		name = "stdin"
	}
	reader := manifestReader{kinds: map[schema.GroupVersionKind]Kind{}}
	for _, kind := range kinds {
		reader.kinds[kind.GroupVersionKind()] = kind
	}
	next := documents(stream)
	for position := (Position{File: name, Document: 1}); ; position.Document++ {
		document, err := next()
		if errors.Is(err, io.EOF) {
			return reader.read, reader.read.unique()
		}
		if err == nil {
			err = reader.document(document, position)
		}
		if err != nil {
			return Manifests{}, fmt.Errorf("%v: %w", position, err)
		}
	}
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

func duplicate(m Manifest, first Position) error {
	return fmt.Errorf("%v: %v is already in %v", m.Position, m.Key, first)
}

// documents returns a function that gives one document after the other as JSON,
// nil for an empty one, and io.EOF at the end.
func documents(stream io.Reader) func() ([]byte, error) {
	buffered := bufio.NewReader(stream)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	plain, _, isJSON := yamlstream.GuessJSONStream(buffered, 4096)
	if isJSON {
		values := json.NewDecoder(plain)
		return func() ([]byte, error) {
			var value json.RawMessage
			err := values.Decode(&value)
			return value, err
		}
	}
	parts := yamlstream.NewYAMLReader(bufio.NewReader(plain))
	return func() ([]byte, error) {
		part, err := parts.Read()
		if err != nil {
			return nil, err
		}
		document, err := yaml.YAMLToJSONStrict(part)
		if bytes.Equal(document, []byte("null")) {
			document = nil
		}
		return document, err
	}
}

// manifestReader gathers objects from documents.
type manifestReader struct {
	kinds map[schema.GroupVersionKind]Kind
	read  Manifests
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
	kind, ok := r.kinds[schema.FromAPIVersionAndKind(head.APIVersion, head.Kind)]
	if !ok {
		r.read.Ignored = append(r.read.Ignored, Ignored{
			APIVersion: head.APIVersion, Kind: head.Kind, Name: head.Metadata.Name, Position: position})
		return nil
	}
	return r.object(kind, document, position)
}

// list flattens one; items are numbered within their document. The items of a
// typed list may leave out their kind.
func (r *manifestReader) list(list head, position Position) error {
	for _, item := range list.Items {
		position.Item++
		if list.Kind != "List" {
			item = typed(item, list.APIVersion, strings.TrimSuffix(list.Kind, "List"))
		}
		if err := r.document(item, position); err != nil {
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

func (r *manifestReader) object(kind Kind, document []byte, position Position) error {
	object := kind.New()
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		var m metav1.PartialObjectMetadata
		_ = json.Unmarshal(document, &m)
		return fmt.Errorf("%v: %w", kind.key(&m), err)
	}
	switch {
	case !kind.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(metav1.NamespaceDefault)
	}
	if kind.Default != nil {
		kind.Default(object)
	}
	kind.strip(object)
	r.read.Objects = append(r.read.Objects, Manifest{Key: kind.key(object), Object: object, Position: position})
	return nil
}
