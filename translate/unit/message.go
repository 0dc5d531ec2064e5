package unit

import (
	"strconv"
	"strings"
	"unicode"
)

// OneLine returns a message in which every character that is not printable is escaped as in a Go
// string. A value that a message quotes can then neither begin a line of its own in a log, an Event
// or a terminal, nor control the terminal.
func OneLine(message string) string {
	if strings.IndexFunc(message, unprintable) < 0 {
		return message
	}
	var line strings.Builder
	for _, r := range message {
		if unprintable(r) {
			quoted := strconv.QuoteRune(r)
			line.WriteString(quoted[1 : len(quoted)-1])
		} else {
			line.WriteRune(r)
		}
	}
	return line.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }
