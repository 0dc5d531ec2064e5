package inspect

import (
	"reflect"
	"testing"
)

func TestMatches(t *testing.T) {
	for text, want := range map[string]Match{
		`http.path ^= "/"`: {Hosts: []string{}, Paths: []string{"/*"}},
		`(lower(http.host) == "a.example") && ((http.path == "/b") || (http.path ^= "/b/")) && (net.dst.port != 0)`: {Hosts: []string{"a.example"}, Paths: []string{"/b/*"}},
		`(lower(http.host) =^ ".example") && (lower(http.host) ~ "^[^.]+\\.example$") && (http.path == "/b")`:       {Hosts: []string{"*.example"}, Paths: []string{"/b"}},
		`(http.path ~ "^/items/(\\d+)$") && ((http.method == "GET") || (http.method == "PUT"))`:                     {Hosts: []string{}, Paths: []string{`~^/items/(\d+)$`}, Methods: []string{"GET", "PUT"}},
		`(any(http.headers.x_canary) == "yes") && (!(lower(http.host) == "b.example")) && (net.dst.port == 8443)`:   {Hosts: []string{}, Paths: []string{}, Others: []string{"http.headers.x_canary == yes", "not b.example", "net.dst.port == 8443"}},
		`(net.dst.port == 9000) && (lower(tls.sni) == "a.example")`:                                                 {Hosts: []string{"a.example"}, Paths: []string{}, Others: []string{"net.dst.port == 9000"}},
		`what is this`: {Hosts: []string{}, Paths: []string{}, Others: []string{"what is this"}},
	} {
		if got := matchOf(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", text, got, want)
		}
	}
}
