package unit

import (
	"errors"

	"github.com/kube-sync/kube-sync/translate/field"
)

// Fault is what a verdict is about, as data. Nothing reads it from the message, which is for
// people.
type Fault struct {
	// Field is empty if the verdict is about the object as a whole.
	Field field.Path
	// Missing is an object that does not exist and would remove the fault. It may exist where
	// more objects are known. Its name is empty where any object of the kind and namespace may
	// do, such as a ReferenceGrant. The zero value means that no other object helps.
	Missing Key
	// Follows reports that the verdict only follows from others on the object.
	Follows bool
}

// At returns the fault of a field.
func At(path field.Path) Fault { return Fault{Field: path} }

// Lacking returns the fault of a field that refers to a missing object.
func Lacking(path field.Path, missing Key) Fault { return Fault{Field: path, Missing: missing} }

// Within returns the fault of a field whose path is that of f after another path.
func (f Fault) Within(path field.Path) Fault {
	f.Field = f.Field.Within(path)
	return f
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
func FaultOf(err error, otherwise field.Path) Fault {
	if e, ok := errors.AsType[*faultError](err); ok {
		return e.fault
	}
	return At(otherwise)
}
