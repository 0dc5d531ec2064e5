package limit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Depth is the nesting of lists and objects. Kong fails with status 500 for the whole
// configuration if anything nests deeper than 128.
const Depth = 64

var errDepth = fmt.Errorf("the configuration nests lists and objects deeper than %d levels", Depth)

// errNotJSON does not quote the value, which may be secret.
var errNotJSON = errors.New("the configuration is not JSON")

// Config checks the configuration of a plugin; the empty name is for a vault or a custom entity.
// It checks the size first and decodes nothing larger than the bound.
func (l Limits) Config(plugin string, raw []byte) error {
	if err := l.ConfigSize(len(raw)); err != nil {
		return err
	}
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return errNotJSON
	}
	return l.Tree(plugin, tree)
}

// Tree is Config for a decoded configuration. It does not check the size.
func (l Limits) Tree(plugin string, tree any) error {
	return check{l, slow[plugin]}.tree(tree, nil, 0)
}

// ConfigSize checks the size of a configuration, in bytes.
func (l Limits) ConfigSize(size int) error {
	if Exceeds(size, l.PluginConfig) {
		return &Exceeded{"the configuration", size, "bytes", l.PluginConfig, PluginConfig}
	}
	return nil
}

// slow are the fields of bundled plugins whose strings Kong checks by patterns in quadratic time
// or worse, with their bounds in bytes. A worker takes 5 seconds for an account_email of 16 KiB,
// and 20 milliseconds for 1 KiB.
var slow = map[string]map[string]int{
	"acme":          {"account_email": kib},
	"bot-detection": {"allow": kib, "deny": kib}, // regular expressions
	"cors":          {"origins": kib},
}

// field is the position of a value in a configuration.
type field struct {
	parent *field
	name   string
}

func (f *field) String() string {
	switch {
	case f == nil:
		return "the configuration"
	case f.parent == nil:
		return "the field " + f.name
	case f.name[0] == '[':
		return f.parent.String() + f.name
	}
	return f.parent.String() + "." + f.name
}

// check walks one configuration.
type check struct {
	limits Limits
	slow   map[string]int
}

func (c check) tree(value any, at *field, depth int) error {
	switch value := value.(type) {
	case map[string]any:
		if depth >= Depth {
			return errDepth
		}
		for name, child := range value {
			if most := c.limits.PluginString; Exceeds(len(name), most) {
				return &Exceeded{"the name of a field", len(name), "bytes", most, PluginString}
			}
			if err := c.tree(child, &field{at, name}, depth+1); err != nil {
				return err
			}
		}
	case []any:
		if depth >= Depth {
			return errDepth
		}
		for i, child := range value {
			if err := c.tree(child, &field{at, "[" + strconv.Itoa(i) + "]"}, depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		return c.text(len(value), at)
	case string:
		return c.text(len(value), at)
	}
	return nil
}

func (c check) text(size int, at *field) error {
	if most := c.limits.PluginString; Exceeds(size, most) {
		return &Exceeded{at.String(), size, "bytes", most, PluginString}
	}
	if most, ok := c.slow[at.top()]; ok && size > most {
		return fmt.Errorf("%v has %d bytes, but Kong checks at most %d in reasonable time", at, size, most)
	}
	return nil
}

// top returns the name of the top-level field that contains the value.
func (f *field) top() string {
	for ; f != nil && f.parent != nil; f = f.parent {
	}
	if f == nil {
		return ""
	}
	return f.name
}
