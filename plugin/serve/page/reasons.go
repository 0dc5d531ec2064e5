package page

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

//go:embed reasons.md
var manual string

// row is a row of the manual's table of reasons.
var row = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| [^|]* \\| ([^|]*) \\|$")

// link is a link of Markdown.
var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// advices are what the manual advises, by reason.
var advices = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(manual, -1) {
		text := strings.ReplaceAll(link.ReplaceAllString(strings.TrimSpace(match[2]), "$1"), "`", "")
		if text != "" {
			all[match[1]] = strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return all
})

// advice returns what to do about a reason, or nothing.
func advice(reason string) string { return advices()[reason] }
