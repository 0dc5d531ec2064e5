package input

import (
	"hash/maphash"

	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kube-sync/kube-sync/watch/schema"
)

// Unvalidated are the manifests of files that are read without what costs most: the validation by
// the rules of an API server.
type Unvalidated struct {
	*Objects
	documents map[uint64]document
}

// document is an object as JSON.
type document struct {
	kind   runtimeschema.GroupVersionKind
	object []byte
}

var seed = maphash.MakeSeed()

// UnvalidatedFiles reads manifests as [Files] does.
func UnvalidatedFiles(paths []string) (Unvalidated, error) {
	u := Unvalidated{documents: map[uint64]document{}}
	objects, err := files(paths, func(kind runtimeschema.GroupVersionKind, object []byte) ([]byte, []error) {
		u.documents[maphash.Bytes(seed, object)] = document{kind, object}
		defaulted, err := schema.Default(kind, object)
		if err != nil {
			return object, []error{err}
		}
		return defaulted, nil
	})
	u.Objects = objects
	return u, err
}

// Refused returns the reasons for which an API server would refuse the objects that other manifests
// do not have.
func (u Unvalidated) Refused(others Unvalidated) (refused []error) {
	for sum, d := range u.documents {
		if _, known := others.documents[sum]; !known {
			_, errs := admit(d.kind, d.object)
			refused = append(refused, errs...)
		}
	}
	return refused
}
