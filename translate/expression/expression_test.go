package expression

import "testing"

func TestSmoke(t *testing.T) {
	e := And(Equal(HTTPHost, "a.example"), Or(Equal(HTTPPath, "/foo"), HasPrefix(HTTPPath, "/foo/")))
	want := `(http.host == "a.example") && ((http.path == "/foo") || (http.path ^= "/foo/"))`
	if e.String() != want {
		t.Fatal(e)
	}
	p, err := Parse(want)
	if err != nil || p.String() != want {
		t.Fatal(p, err)
	}
}
