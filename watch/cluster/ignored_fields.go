package cluster

import (
	"fmt"
	"sync"

	"github.com/kube-sync/kube-sync/translate/unit"
	"github.com/kube-sync/kube-sync/watch/kinds"
)

// ignoredFields are the fields of objects that are not read, by object.
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

// Verdicts returns a warning for each field of a cached object that is not read.
func (c *Cluster) Verdicts(key unit.Key) (verdicts []unit.Verdict) {
	for _, ignored := range c.caches.ignored(key) {
		verdict := unit.Warning(key, "FieldIgnored", fmt.Sprintf("%s has no effect: %s", ignored.Path, ignored.Reason))
		verdict.Field = ignored.Path
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}
