package kong

// WithoutNulls removes null fields from an object and the objects within it, and returns it. To
// Kubernetes, a null field is unset; Kong uses null in place of the default, and refuses it in
// required fields.
func WithoutNulls(object map[string]any) map[string]any {
	for name, value := range object {
		if value == nil {
			delete(object, name)
		} else {
			nullsWithin(value)
		}
	}
	return object
}

// nullsWithin removes null fields from the objects in a value. It keeps nulls in lists, whose
// positions matter.
func nullsWithin(value any) {
	switch value := value.(type) {
	case map[string]any:
		WithoutNulls(value)
	case []any:
		for _, element := range value {
			nullsWithin(element)
		}
	}
}
