package routing

import (
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/route"
)

// TestServerNamesRankNoPlainRequests holds that server names raise the priority of requests over
// TLS only, and that each request of a route matches exactly one of its parts.
func TestServerNamesRankNoPlainRequests(t *testing.T) {
	for _, protocols := range [][]string{{"http"}, {"http", "https"}, {"https"}} {
		for _, scheme := range []string{"", "http", "https"} {
			r := route.Route{Name: "r", Protocols: protocols, Match: route.Match{Scheme: scheme, SNIs: []string{"a.example"}}}
			whole := ExtentOf(r)
			without := r
			without.Match.SNIs = nil
			names := 0
			var plain, secure int
			for _, part := range SchemeParts(r) {
				if part.Name == r.Name {
					names++
				}
				e, rank, other := ExtentOf(part.Route), RankOf(part.Match), RankOf(without.Match)
				if e.plain || e.redirects {
					plain++
					if rank != other || e.plain != whole.plain || e.redirects != whole.redirects {
						t.Errorf("%v %q: plain requests are those of %+v in the rank %+v, which are to be those of %+v in %+v", protocols, scheme, e, rank, whole, other)
					}
				}
				if e.secure {
					secure++
					if Priority(part.Match) <= Priority(without.Match) || !slices.Equal(e.snis, r.Match.SNIs) || e.plain || e.redirects {
						t.Errorf("%v %q: requests over TLS are those of %+v", protocols, scheme, e)
					}
				}
			}
			if asPlain, asSecure := whole.plain || whole.redirects, whole.secure; names != 1 || plain > 1 || secure > 1 || asPlain != (plain == 1) || asSecure != (secure == 1) {
				t.Errorf("%v %q: %d parts are for plain requests, %d for those over TLS, %d have the name", protocols, scheme, plain, secure, names)
			}
		}
	}
	r := route.Route{Name: "r", Protocols: []string{"http", "https"}, Match: route.Match{SNIs: []string{"a.example"}}}
	for _, q := range []struct {
		protocol, sni string
		matches       int
	}{{"http", "", 1}, {"https", "a.example", 1}, {"https", "b.example", 0}} {
		matches := 0
		for _, part := range SchemeParts(r) {
			expr, err := Expression(part.Match)
			if err != nil {
				t.Fatal(err)
			}
			program, err := expression.Compile(expr)
			if err != nil {
				t.Fatal(err)
			}
			if _, in := program.Eval(&expression.Request{Protocol: q.protocol, SNI: q.sni, Method: "GET", Path: "/"}); in {
				matches++
			}
		}
		if matches != q.matches {
			t.Errorf("%+v matches %d parts", q, matches)
		}
	}
}
