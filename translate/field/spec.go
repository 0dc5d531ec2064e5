package field

// Spec is the path of an object's spec.
var Spec = NewPath("spec")
