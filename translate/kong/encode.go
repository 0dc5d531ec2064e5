package kong

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	gokong "github.com/kong/go-kong/kong"
)

// Foreign keys in the flat declarative format are id strings, because Kong checks objects twice
// and strings once. Each type therefore shadows go-kong's field with a string.
type (
	declaredRoute struct {
		gokong.Route
		Service string `json:"service,omitempty"`
	}
	declaredService struct {
		gokong.Service
		ClientCertificate string `json:"client_certificate,omitempty"`
	}
	declaredTarget struct {
		gokong.Target
		Upstream string `json:"upstream"`
	}
	declaredSNI struct {
		gokong.SNI
		Certificate string `json:"certificate"`
	}
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// entity encodes a declared entity.
func entity(t Type, id, name string, declared any, parents ...Ref) *Entity {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false) // keep && in expressions readable
	if err := enc.Encode(declared); err != nil {
		// Declared types hold strings and numbers; encoding them cannot fail.
		panic(fmt.Sprintf("%s %s: %v", t, name, err))
	}
	return &Entity{
		Ref:     Ref{Type: t, ID: id},
		Name:    name,
		Parents: parents,
		JSON:    bytes.Clone(bytes.TrimSpace(b.Bytes())),
	}
}
