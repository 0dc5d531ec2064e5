package hostname

import (
	"testing"

	"github.com/kube-sync/kube-sync/translate/route"
)

func TestIntersection(t *testing.T) {
	for _, test := range []struct {
		a, b, want route.Host
		ok         bool
	}{
		{"", "", "", true},
		{"", "a.example", "a.example", true},
		{"*.example", "a.example", "a.example", true},
		{"*.example", "b.a.example", "b.a.example", true},
		{"*.example", "example", "", false},
		{"*.example", "*.a.example", "*.a.example", true},
		{"*.example", "*.example", "*.example", true},
		{"*.a.example", "*.b.example", "", false},
		{"a.example", "b.example", "", false},
	} {
		for _, pair := range [][2]route.Host{{test.a, test.b}, {test.b, test.a}} {
			if got, ok := Intersection(pair[0], pair[1]); got != test.want || ok != test.ok {
				t.Errorf("Intersection(%q, %q) = %q, %t, want %q, %t", pair[0], pair[1], got, ok, test.want, test.ok)
			}
		}
	}
}
