package cluster

import (
	"sync"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// ignoredFields holds, by object, the fields that are not read.
type ignoredFields struct {
	mu     sync.Mutex
	fields map[unit.Key][]kinds.IgnoredField
}

// set replaces the fields of an object.
func (f *ignoredFields) set(key unit.Key, fields []kinds.IgnoredField) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(fields) == 0:
		delete(f.fields, key)
	case f.fields == nil:
		f.fields = map[unit.Key][]kinds.IgnoredField{key: fields}
	default:
		f.fields[key] = fields
	}
}

// of returns the fields of an object.
func (f *ignoredFields) of(key unit.Key) []kinds.IgnoredField {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fields[key]
}
