package unit_test

import (
	"testing"

	"github.com/kube-sync/kube-sync/translate/unit"
)

func TestOneLine(t *testing.T) {
	for message, want := range map[string]string{
		"":                              "",
		`a "quoted" value with ü and 漢`: `a "quoted" value with ü and 漢`,
		"a\nlevel=ERROR msg=forged":     `a\nlevel=ERROR msg=forged`,
		"a\r\n\tb\x00":                  `a\r\n\tb\x00`,
		"\x1b[31mred":                   `\x1b[31mred`,
		"next\u0085line\u2028paragraph": `next\u0085line\u2028paragraph`,
		"right to \u202eleft":           `right to \u202eleft`,
	} {
		if got := unit.OneLine(message); got != want {
			t.Errorf("%q becomes %q, not %q", message, got, want)
		}
	}
}
