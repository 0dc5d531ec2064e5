package unit

import "encoding/json"

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
