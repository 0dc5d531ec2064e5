package limit

import (
	"fmt"
	"strings"
)

// Text truncates a string to a number of bytes, for messages that quote users.
func Text(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Joined joins messages up to the length of one, and counts the rest.
func Joined(messages []string) string {
	size := 0
	for i, message := range messages {
		if size += len(message); i > 0 && size > Message {
			return fmt.Sprintf("%s; and %d more", strings.Join(messages[:i], "; "), len(messages)-i)
		}
	}
	return Text(strings.Join(messages, "; "), Message)
}
