package datapath

import (
	"net/http"
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

func TestTakeKey(t *testing.T) {
	for name, c := range map[string]struct {
		via  []string
		key  string
		left []string
	}{
		"none":                    {},
		"as Kong sends it":        {[]string{"1.1 kong/3.9.3, 1.1 abc"}, "abc", []string{"1.1 kong/3.9.3"}},
		"after the client's":      {[]string{"1.0 fred, 1.1 forged, 2 kong/3.9.3, 1.1 abc"}, "abc", []string{"1.0 fred, 1.1 forged, 2 kong/3.9.3"}},
		"alone":                   {[]string{"1.1 abc"}, "abc", nil},
		"of the last of lines":    {[]string{"1.1 forged", "1.1 kong/3.9.3, 1.1 abc"}, "abc", []string{"1.1 forged", "1.1 kong/3.9.3"}},
		"alone in the last line":  {[]string{"1.1 kong/3.9.3", "1.1 abc"}, "abc", []string{"1.1 kong/3.9.3"}},
		"of another protocol":     {[]string{"1.1 kong/3.9.3, 2 abc"}, "", []string{"1.1 kong/3.9.3"}},
		"empty":                   {[]string{""}, "", nil},
		"nothing after the comma": {[]string{"1.1 abc,"}, "", []string{"1.1 abc"}},
	} {
		headers := http.Header{}
		if c.via != nil {
			headers["Via"] = slices.Clone(c.via)
		}
		if key := takeKey(headers); key != c.key || !slices.Equal(headers["Via"], c.left) {
			t.Errorf("%s: the key %q, and %q is left; want %q and %q", name, key, headers["Via"], c.key, c.left)
		}
	}
}

// The key is sent neither to a backend nor to a mirror.
func TestTheKeyIsNotSentOn(t *testing.T) {
	via := make(chan string, 2)
	target := endpoint(t, func(_ http.ResponseWriter, q *http.Request) { via <- q.Header.Get("Via") })
	s := running(t, near, route.Relay{Name: "r", Key: "k", Backends: to(target), Mirrors: []route.Mirror{mirrorTo(target, 1, 1)}})
	q := s.request("k", "GET", "/", nil)
	q.Header.Set("Via", "1.1 kong/3.9.3, "+q.Header.Get("Via"))
	if status, text := s.ask(q); status != 200 {
		t.Fatal(status, text)
	}
	for range 2 {
		if got := <-via; got != "1.1 kong/3.9.3" {
			t.Errorf("the backend or the mirror is sent Via: %s", got)
		}
	}
}
