package field

// Spec is the path of what an object asks for.
var Spec = NewPath("spec")
