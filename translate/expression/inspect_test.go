package expression

import (
	"slices"
	"testing"
)

func TestFalse(t *testing.T) {
	e, err := Parse(`(http.host == "a") && ((http.path == "/b") || (http.path ^= "/b/")) && !(tls.sni == "c") && (net.dst.port != 0)`)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(e)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Conjuncts(e)); n != 4 {
		t.Errorf("%d terms", n)
	}
	if failed := p.False(&Request{Host: "a", Path: "/x", SNI: "c", DstPort: 1}); !slices.Equal(failed, []int{1, 2}) {
		t.Errorf("false are %v", failed)
	}
	if failed := p.False(&Request{Host: "a", Path: "/b/x", DstPort: 1}); failed != nil {
		t.Errorf("false are %v", failed)
	}
	if single, _ := Parse(`http.host == "a"`); len(Conjuncts(single)) != 1 || len(Conjuncts(nil)) != 0 {
		t.Error("one comparison is one term, and nothing is none")
	}
}

func TestPredicates(t *testing.T) {
	e, err := Parse(`(lower(http.host) =^ ".a") && ((http.path == "/b") || !(any(http.headers.x_b) ~ "c")) && (net.dst.port != 0) && (net.src.ip in 10.0.0.0/8) && (net.dst.ip == 10.0.0.1)`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Predicate{
		{"http.host", "=^", ".a", false},
		{"http.path", "==", "/b", false},
		{"http.headers.x_b", "~", "c", true},
		{"net.dst.port", "!=", "0", false},
		{"net.src.ip", "in", "10.0.0.0/8", false},
		{"net.dst.ip", "==", "10.0.0.1", false},
	}
	if got := slices.Collect(Predicates(e)); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := slices.Collect(Predicates(nil)); got != nil {
		t.Errorf("no constraint has the predicates %v", got)
	}
	for range Predicates(e) { // a loop may end early
		break
	}
}
