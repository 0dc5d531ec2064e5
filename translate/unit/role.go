package unit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// RoleName names a role, such as "ingress" or "backend".
type RoleName string

// Role is a role with at most one unit for an object. T is the type of the units' value, [None]
// if they have no value.
type Role[T any] string

// RoleBy is a role with any number of units for an object. A Sub tells them apart.
type RoleBy[S Sub, T any] string

// None is the value of units that no other unit reads.
type None struct{}

// Sub tells units of one role and one object apart, such as by the port of a Service. Different
// values have different strings.
type Sub interface {
	comparable
	fmt.Stringer
}

// Ref refers to the unit of a role with values of type T.
type Ref[T any] struct{ ID }

// Of returns the reference to the unit of an object.
func (r Role[T]) Of(namespace, name string) Ref[T] {
	return Ref[T]{ID{Role: RoleName(r), Namespace: namespace, Name: name}}
}

// Of returns the reference to one of the units of an object.
func (r RoleBy[S, T]) Of(namespace, name string, sub S) Ref[T] {
	return Ref[T]{ID{Role: RoleName(r), Namespace: namespace, Name: name, Sub: sub}}
}

// ID names one unit. IDs are comparable.
type ID struct {
	Role      RoleName
	Namespace string
	Name      string
	// Sub is a [Sub]; it is nil for a [Role] with one unit for an object.
	Sub fmt.Stringer
}

// unitOf returns the id of the one unit of a role for an object.
func unitOf(role RoleName, object Key) ID {
	return ID{Role: role, Namespace: object.Namespace, Name: object.Name}
}

// String returns the form for logs: "backend shop/web:80".
func (id ID) String() string {
	s := string(id.Role) + " " + id.Namespace + "/" + id.Name
	if sub := id.sub(); sub != "" {
		s += ":" + sub
	}
	return s
}

func (id ID) sub() string {
	if id.Sub == nil {
		return ""
	}
	return id.Sub.String()
}

// Compare orders ids by role, namespace, name and sub.
func (id ID) Compare(other ID) int {
	if c := cmp.Or(strings.Compare(string(id.Role), string(other.Role)), strings.Compare(id.Namespace, other.Namespace),
		strings.Compare(id.Name, other.Name)); c != 0 || id.Sub == other.Sub {
		return c
	}
	return strings.Compare(id.sub(), other.sub())
}

// fileID is the form of ids in files.
type fileID struct {
	Role            RoleName
	Namespace, Name string
	Sub             string `json:",omitempty"`
}

// MarshalJSON writes the id for files. The sub is its string.
func (id ID) MarshalJSON() ([]byte, error) {
	return json.Marshal(fileID{id.Role, id.Namespace, id.Name, id.sub()})
}

// UnmarshalJSON reads an id from a file. The result has the same string as the unit's id, but may
// not be equal to it, because only the unit's role knows the type of the sub.
func (id *ID) UnmarshalJSON(text []byte) error {
	var f fileID
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	*id = ID{Role: f.Role, Namespace: f.Namespace, Name: f.Name}
	if f.Sub != "" {
		id.Sub = fileSub(f.Sub)
	}
	return nil
}

// fileSub is a sub that was read from a file.
type fileSub string

func (s fileSub) String() string { return string(s) }
