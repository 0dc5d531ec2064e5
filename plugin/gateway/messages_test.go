package gateway

import (
	"testing"

	"github.com/kube-sync/kube-sync/plugin/internal/calls"
)

// TestNoMessagesAreRead checks that this package does not read the messages of a refusal.
func TestNoMessagesAreRead(t *testing.T) {
	for _, call := range calls.InDirectory(t) {
		if call.Package == "strings" && call.Function != "Join" && calls.ReadsMessage(call) {
			t.Errorf("%s: strings.%s reads a message", call.File, call.Function)
		}
	}
}
