package kong

import (
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
)

// TestValidTag holds that valid tags are those of Kong's pattern.
func TestValidTag(t *testing.T) {
	pattern := regexp.MustCompile(`^[ -+\-.0-~\x{80}-\x{10ffff}]+$`)
	for _, around := range []string{"", "a", " ", "ü"} {
		for r := range rune(0x3000) {
			tag := around + string(r) + around
			if want := pattern.MatchString(tag); ValidTag(tag) != want {
				t.Errorf("%q: %v", tag, !want)
			}
		}
		if ValidTag(around+"\xff") || ValidTag(around+string(utf8.RuneError)) {
			t.Errorf("%q with invalid UTF-8 is a valid tag", around)
		}
	}
	if ValidTag("") {
		t.Error("an empty tag is valid")
	}
}

// TestIDs holds that ids are version 5 UUIDs of the names within their type.
func TestIDs(t *testing.T) {
	for _, name := range []string{"", "a", "a name that is longer than the hundred and twenty-eight bytes for which there is room without an allocation, and then some more"} {
		if got, want := ID(Routes, name), uuid.NewSHA1(namespaces[Routes], []byte(name)).String(); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
