package declarative

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// check records all errors of the entity's fields against the schema.
func (s schema) check(e Entity, prefix string, refused *Refused) {
	for name, f := range s {
		if e[name] == nil && f.required {
			refused.add(prefix+name, "required field missing")
		}
	}
	for name, value := range e {
		f, known := s[name]
		switch {
		case value == nil:
		case !known:
			refused.add(prefix+name, "unknown field")
		default:
			if message := f.refuses(value); message != "" {
				refused.add(prefix+name, message)
			}
		}
	}
}

// refuses returns the error of the value, or "".
func (f field) refuses(value any) string {
	switch f.kind {
	case text:
		s, ok := value.(string)
		if !ok {
			return "expected a string"
		}
		return f.refusesText(s)
	case integer:
		n, ok := value.(float64)
		if !ok || n != math.Trunc(n) {
			return "expected an integer"
		}
		return f.refusesInteger(n)
	case boolean:
		if _, ok := value.(bool); !ok {
			return "expected a boolean"
		}
	case texts:
		return f.refusesTexts(value)
	case reference:
		_, isText := value.(string)
		_, isMap := value.(map[string]any)
		if !isText && !isMap {
			return "expected a string"
		}
	}
	return ""
}

func (f field) refusesText(s string) string {
	switch {
	case s == "":
		return "length must be at least 1"
	case f.oneOf != nil && !slices.Contains(f.oneOf, s):
		return "expected one of: " + strings.Join(f.oneOf, ", ")
	case f.check != nil:
		return f.check(s)
	}
	return ""
}

func (f field) refusesInteger(n float64) string {
	if f.oneOf != nil && !slices.Contains(f.oneOf, strconv.Itoa(int(n))) {
		return "expected one of: " + strings.Join(f.oneOf, ", ")
	}
	if (f.low != 0 || f.max != 0) && (n < f.low || n > f.max) {
		return fmt.Sprintf("value should be between %.0f and %.0f", f.low, f.max)
	}
	return ""
}

func (f field) refusesTexts(value any) string {
	list, ok := value.([]any)
	if !ok {
		return "expected an array"
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return "expected a string"
		}
		if message := f.refusesText(s); message != "" {
			return message
		}
	}
	return ""
}
