package docs

import _ "embed"

// Reasons is the page on the reasons of diagnostics, in Markdown. The status page says what it advises.
//
//go:embed reference/reasons.md
var Reasons string
