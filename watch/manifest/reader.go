package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
	"github.com/kube-sync/kube-sync/watch/schema"
)

// admission decides how an object of a manifest is stored, and whether a fault ends reading.
type admission interface {
	// admit returns an object, which is JSON, as an API server would store it. It reports
	// whether it has noted faults of the object.
	admit(kind kinds.Kind, gvk runtimeschema.GroupVersionKind, object []byte, position Position) (admitted []byte, faulty bool, err error)
	// note notes a fault and reports whether reading goes on.
	note(position Position, fault error) bool
}

// strict is the admission that stops at the first fault. It validates names, fills in the defaults
// of custom kinds and leaves the rest of the validation to the translation.
type strict struct{}

func (strict) admit(kind kinds.Kind, gvk runtimeschema.GroupVersionKind, object []byte, _ Position) (admitted []byte, faulty bool, err error) {
	key := keyOf(kind, object)
	if err := validateName(key); err != nil {
		return nil, false, &ObjectError{key, err}
	}
	if !kind.Custom {
		return object, false, nil
	}
	admitted, err = schema.Default(gvk, object)
	if err != nil {
		return nil, false, &ObjectError{key, err}
	}
	return admitted, false, nil
}

func (strict) note(Position, error) bool { return false }

// reader gathers objects from documents.
type reader struct {
	kinds map[runtimeschema.GroupVersionKind]kinds.Kind
	// custom are the custom kinds, whose versions an API server converts.
	custom    map[runtimeschema.GroupKind]kinds.Kind
	admission admission
	read      Manifests
}

func newReader(of []kinds.Kind, admission admission) *reader {
	r := &reader{kinds: map[runtimeschema.GroupVersionKind]kinds.Kind{}, custom: map[runtimeschema.GroupKind]kinds.Kind{}, admission: admission}
	for _, kind := range of {
		r.kinds[kind.GroupVersionKind()] = kind
		if kind.Custom {
			r.custom[kind.GroupVersionKind().GroupKind()] = kind
		}
	}
	return r
}

// kind returns the kind of an object; false if it is not read.
func (r *reader) kind(is metav1.TypeMeta) (kinds.Kind, bool) {
	full := runtimeschema.FromAPIVersionAndKind(is.APIVersion, is.Kind)
	if kind, ok := r.kinds[full]; ok {
		return kind, true
	}
	kind, ok := r.custom[full.GroupKind()]
	return kind, ok
}

// head is the part of a document that says what kind of object it is, or that it is a List.
type head struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

func (r *reader) document(document []byte, position Position) error {
	if document == nil {
		return nil
	}
	var head head
	if document[0] != '{' || json.Unmarshal(document, &head) != nil {
		return errors.New("not a Kubernetes object")
	}
	switch {
	case head.APIVersion == "":
		return errors.New("apiVersion is missing")
	case head.Kind == "":
		return errors.New("kind is missing")
	case strings.HasSuffix(head.Kind, "List"):
		return r.list(head, position)
	case head.Metadata.Name == "":
		return fmt.Errorf("metadata.name of the %s is missing", head.Kind)
	}
	kind, ok := r.kind(head.TypeMeta)
	if !ok {
		r.read.Ignored = append(r.read.Ignored, Ignored{
			APIVersion: head.APIVersion, Kind: head.Kind, Name: head.Metadata.Name, Position: position})
		return nil
	}
	return r.object(kind, runtimeschema.FromAPIVersionAndKind(head.APIVersion, head.Kind), document, position)
}

// list reads the items of a List. The items of a typed list may lack their kind.
func (r *reader) list(list head, position Position) error {
	for _, item := range list.Items {
		position.Item++
		if list.Kind != "List" {
			item = typed(item, list.APIVersion, strings.TrimSuffix(list.Kind, "List"))
		}
		err := r.document(item, position)
		if err != nil && !r.admission.note(position, err) {
			return fmt.Errorf("item %d: %w", position.Item, err)
		}
	}
	return nil
}

// typed returns an object with the apiVersion and kind that it lacks.
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

// object adds an object to those that were read.
func (r *reader) object(kind kinds.Kind, gvk runtimeschema.GroupVersionKind, document []byte, position Position) error {
	if kind.Convert != nil {
		document = converted(kind, document)
	}
	document, faulty, err := r.admission.admit(kind, gvk, document, position)
	if err != nil {
		return err
	}
	object := kind.New()
	unknown, err := kjson.UnmarshalStrict(document, object)
	switch {
	case err != nil && faulty:
		return nil // its faults explain the error better
	case err != nil:
		return &ObjectError{keyOf(kind, document), err}
	case faulty:
		unknown = nil
	}
	key := setNamespace(kind, object)
	for _, err := range unknown {
		if !r.admission.note(position, &ObjectError{key, err}) {
			return &ObjectError{key, errors.Join(unknown...)}
		}
	}
	object.GetObjectKind().SetGroupVersionKind(kind.GroupVersionKind())
	if kind.Default != nil {
		kind.Default(object)
	}
	kind.Trim(object)
	r.read.Objects = append(r.read.Objects, Manifest{Key: key, Object: object, Position: position})
	return nil
}

// converted returns an object with the fields that the kind has. A document that is not an
// object is returned unchanged.
func converted(kind kinds.Kind, document []byte) []byte {
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

// setNamespace sets the namespace that an object lacks and returns its key. A cluster-scoped
// object has none.
func setNamespace(kind kinds.Kind, object unit.Object) unit.Key {
	switch {
	case !kind.Namespaced:
		object.SetNamespace("")
	case object.GetNamespace() == "":
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return kind.Key(object)
}

// validateName returns an error if an object has an invalid name or namespace.
func validateName(key unit.Key) error {
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

// keyOf returns the key of an object that cannot be decoded.
func keyOf(kind kinds.Kind, document []byte) unit.Key {
	var m metav1.PartialObjectMetadata
	_ = json.Unmarshal(document, &m)
	return setNamespace(kind, &m)
}
