package expression

import (
	"reflect"
	"slices"
	"testing"
)

func TestPredicates(t *testing.T) {
	e, err := Parse(`(lower(http.host) == "a.example") && ((http.path == "/b") || !(http.path ^= "/c/")) && (net.dst.port != 0) && (net.src.ip in 10.0.0.0/8) && (net.dst.ip == 10.0.0.1)`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Predicate{
		{"http.host", "==", "a.example", false},
		{"http.path", "==", "/b", false},
		{"http.path", "^=", "/c/", true},
		{"net.dst.port", "!=", "0", false},
		{"net.src.ip", "in", "10.0.0.0/8", false},
		{"net.dst.ip", "==", "10.0.0.1", false},
	}
	if got := slices.Collect(Predicates(e)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := slices.Collect(Predicates(nil)); got != nil {
		t.Errorf("no constraint has the predicates %v", got)
	}
}
