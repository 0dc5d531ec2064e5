package limit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Depth is how deep lists and objects may be in one another. Kong writes none deeper than
// 128, and answers 500 to the whole configuration for it.
const Depth = 64

var errDepth = fmt.Errorf("the configuration has more than %d lists and objects in one another", Depth)

// errNotJSON tells nothing of the text, which may be a Secret's.
var errNotJSON = errors.New("the configuration is not JSON")

// Config checks the configuration of a plugin, or for the empty name of a vault or a custom
// entity. Its size is looked at first, so that no more than the bound is ever decoded.
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

// Tree is Config for a configuration that is decoded already, but for its size.
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

// slow are the fields of bundled plugins whose strings Kong checks by patterns that take the
// square of their length or longer, and how long they can be. A worker takes 5 seconds for
// 16 KiB of an account_email, and 20 milliseconds for 1 KiB.
var slow = map[string]map[string]int{
	"acme":          {"account_email": kib},
	"bot-detection": {"allow": kib, "deny": kib}, // regular expressions
	"cors":          {"origins": kib},
}

// field is where in a configuration a value is.
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

// check is the state of looking through one configuration.
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
		return fmt.Errorf("%v has %d bytes, and Kong would be busy for long with more than %d", at, size, most)
	}
	return nil
}

// top is the field of the configuration that the value is in.
func (f *field) top() string {
	for ; f != nil && f.parent != nil; f = f.parent {
	}
	if f == nil {
		return ""
	}
	return f.name
}
