package condition

// Reasons of verdicts, for Events, that several packages use.
const (
	ReasonAnnotationWithoutEffect   = "AnnotationWithoutEffect"
	ReasonFieldIgnored              = "FieldIgnored"
	ReasonForeignAnnotation         = "ForeignAnnotation"
	ReasonHostConflict              = "HostConflict"
	ReasonHostInvalid               = "HostInvalid"
	ReasonHostMissing               = "HostMissing"
	ReasonLiteralPath               = "LiteralPath"
	ReasonMatchConflict             = "MatchConflict"
	ReasonMisdirectedRequestsServed = "MisdirectedRequestsServed"
	ReasonObjectTooLarge            = "ObjectTooLarge"
	ReasonPluginInvalid             = "PluginInvalid"
	ReasonUnsupportedValue          = "UnsupportedValue"
)
