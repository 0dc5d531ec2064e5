package collect

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// hidden replaces a secret.
const hidden = "***"

// shortest is the length of the shortest secret that is removed from texts. Shorter ones are parts
// of too many words.
const shortest = 6

// userinfo is the user and password in a URL. People forget to encode slashes in passwords.
var userinfo = regexp.MustCompile(`://[^\s"'<>@]+@`)

// scrubber removes secrets from texts.
type scrubber struct{ secrets map[string]bool }

func newScrubber() *scrubber { return &scrubber{secrets: map[string]bool{}} }

// learn adds a secret. Each line of a longer one, such as of a private key, is a secret of its own.
func (s *scrubber) learn(secret string) {
	for part := range strings.Lines(secret) {
		if part = strings.TrimSpace(part); len(part) >= shortest && !strings.HasPrefix(part, "-----") {
			s.secrets[part] = true
		}
	}
	if len(secret) >= shortest {
		s.secrets[secret] = true
	}
}

// encodings returns a secret as texts may have it.
func encodings(secret string) []string {
	raw := []byte(secret)
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw))}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// In a longer text, such as user:password, the start depends on the length of what precedes.
		for shift := range 3 {
			encoded := encoding.EncodeToString(append(make([]byte, shift), raw...))
			start := []int{0, 2, 3}[shift]
			end := len(encoded) - []int{0, 2, 1}[(shift+len(raw))%3]
			if end-start >= shortest {
				all = append(all, encoded[start:end])
			}
		}
	}
	return all
}

// scrub returns a text without the secrets, and without users and passwords in URLs.
func (s *scrubber) scrub(text []byte) []byte {
	text = userinfo.ReplaceAll(text, []byte("://"+hidden+"@"))
	var all []string
	for secret := range s.secrets {
		all = append(all, encodings(secret)...)
	}
	// The longest first, so that no part of a secret is left.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	for _, encoded := range slices.Compact(all) {
		text = bytes.ReplaceAll(text, []byte(encoded), []byte(hidden))
	}
	return text
}
