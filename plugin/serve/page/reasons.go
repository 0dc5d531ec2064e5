package page

import (
	"regexp"
	"strings"
	"sync"

	"github.com/kube-sync/kube-sync/docs"
)

// row is a row of the manual's table of reasons.
var row = regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\| [^|]* \\| ([^|]*) \\|$")

// link is a link of Markdown.
var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// advices are what the manual advises, by reason.
var advices = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(docs.Reasons, -1) {
		text := strings.ReplaceAll(link.ReplaceAllString(strings.TrimSpace(match[2]), "$1"), "`", "")
		if text != "" {
			all[match[1]] = strings.ToUpper(text[:1]) + text[1:] + "."
		}
	}
	return all
})

// advice returns what to do about a reason, or nothing.
func advice(reason string) string { return advices()[reason] }
