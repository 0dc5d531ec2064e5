package condition

// Reasons of verdicts, for Events, that several packages use.
const (
	ReasonAnnotationWithoutEffect   = "AnnotationWithoutEffect"
	ReasonFieldIgnored              = "FieldIgnored"
	ReasonHostConflict              = "HostConflict"
	ReasonHostInvalid               = "HostInvalid"
	ReasonHostMissing               = "HostMissing"
	ReasonMatchConflict             = "MatchConflict"
	ReasonMisdirectedRequestsServed = "MisdirectedRequestsServed"
	ReasonObjectTooLarge            = "ObjectTooLarge"
	ReasonPluginInvalid             = "PluginInvalid"
	ReasonUnsupportedValue          = "UnsupportedValue"
)
