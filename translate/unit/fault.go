package unit

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Fault is what a verdict is about, as data. Nothing reads it from the message, which is for
// people.
type Fault struct {
	// Field is the path of the field of the object, as Kubernetes writes it:
	// "spec.rules[0].backendRefs[1].name", "metadata.annotations[konghq.com/methods]". It is
	// empty if the verdict is about the object as a whole.
	Field string
	// Missing is the object without which the fault is: it may exist where more objects are
	// known. Its name is empty where any object of the kind and namespace may help, such as a
	// ReferenceGrant. The zero value means that no other object would help.
	Missing Key
	// Follows reports that the verdict only follows from others on the object.
	Follows bool
}

// At returns the fault of a field. The nil path is the object as a whole.
func At(path *field.Path) Fault { return Lacking(path, Key{}) }

// Lacking returns the fault of a field that refers to a missing object.
func Lacking(path *field.Path, missing Key) Fault {
	if path == nil {
		return Fault{Missing: missing}
	}
	return Fault{Field: path.String(), Missing: missing}
}

// Within returns the fault of a field whose path is that of f after another path.
func (f Fault) Within(path *field.Path) Fault {
	switch {
	case f.Field == "":
		f.Field = path.String()
	case f.Field[0] == '[':
		f.Field = path.String() + f.Field
	default:
		f.Field = path.String() + "." + f.Field
	}
	return f
}

// FieldSteps returns the parts of the path of a field, in order: names, indexes and keys.
func FieldSteps(path string) (all []string) {
	for path != "" {
		step, rest := path, ""
		if path[0] == '[' {
			step, rest, _ = strings.Cut(path[1:], "]")
		} else if end := strings.IndexAny(path, ".["); end >= 0 {
			step, rest = path[:end], path[end:]
		}
		all, path = append(all, step), strings.TrimPrefix(rest, ".")
	}
	return all
}

// faultError is an error that says what it is about.
type faultError struct {
	error
	fault Fault
}

func (e *faultError) Unwrap() error { return e.error }

// WithFault returns the error with what it is about; nil for nil.
func WithFault(err error, f Fault) error {
	if err == nil {
		return nil
	}
	return &faultError{err, f}
}

// FaultOf returns what an error is about. If it does not say, that is the field.
func FaultOf(err error, otherwise *field.Path) Fault {
	if e, ok := errors.AsType[*faultError](err); ok {
		return e.fault
	}
	return At(otherwise)
}
