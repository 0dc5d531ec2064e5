package limit

import (
	"fmt"
	"strings"
)

// Text is a text of at most so many bytes, for messages that repeat what users wrote.
func Text(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Joined is a message of several, of which it names as many as there is room for.
func Joined(messages []string) string {
	size := 0
	for i, message := range messages {
		if size += len(message); i > 0 && size > Message {
			return fmt.Sprintf("%s; and %d more", strings.Join(messages[:i], "; "), len(messages)-i)
		}
	}
	return Text(strings.Join(messages, "; "), Message)
}
