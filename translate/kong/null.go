package kong

// WithoutNulls removes the fields of an object, and of objects within it, that are null, and
// returns it. To Kubernetes such a field is one that is not there; Kong takes it for a value
// in the place of the default, and refuses it where a field is required.
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

// nullsWithin removes nulls from the objects in a value. In a list null has a place, which
// is not anyone's to take.
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
