package kong

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/translate/expression"
	"github.com/kube-sync/kube-sync/translate/limit"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/routing"
)

func oneOfThese[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// someMatch returns a random match that shares its rank with many others.
func someMatch(r *rand.Rand) route.Match {
	m := route.Match{Host: oneOfThese[route.Host](r, "", "abc.abcd", "abd.abcd", "*.abcd", "*.abce", "abc.*", "abd.*", "x.abc.abcd", "*.abc.abcd")}
	m.Deep = r.IntN(2) == 0
	m.Path = oneOfThese(r,
		route.Path{Kind: route.Elements, Value: "/"}, route.Path{Kind: route.Elements, Value: "/a"}, route.Path{Kind: route.Elements, Value: "//a/"},
		route.Path{Kind: route.Elements, Value: "/ab"}, route.Path{Kind: route.Elements, Value: "/b"},
		route.Path{Kind: route.Characters, Value: "/"}, route.Path{Kind: route.Characters, Value: ""}, route.Path{Kind: route.Characters, Value: "/a"},
		route.Path{Kind: route.Characters, Value: "/a/"}, route.Path{Kind: route.Characters, Value: "/ab"}, route.Path{Kind: route.Characters, Value: "/b"},
		route.Path{Kind: route.Exact, Value: "/a"}, route.Path{Kind: route.Exact, Value: "/a/"}, route.Path{Kind: route.Exact, Value: "/ab"},
		route.Path{Kind: route.Regex, Value: "/."}, route.Path{Kind: route.Regex, Value: ".a"}, route.Path{Kind: route.Regex, Value: "/a?"},
		route.Path{Kind: route.Last, Value: "/a"}, route.Path{Kind: route.Last, Value: "b"},
		route.Path{Kind: route.Elements, Value: "/" + strings.Repeat("x", 2100)}, route.Path{Kind: route.Elements, Value: "/" + strings.Repeat("x", 2100) + "/y"})
	m.Methods = oneOfThese(r, nil, nil, []string{"GET"}, []string{"GET", "POST"})
	if r.IntN(3) == 0 {
		m.Headers = []route.Values{{Name: oneOfThese(r, "x-a", "x-b"), Values: []string{"1"}}}
	}
	return m
}

func someRequest(r *rand.Rand) expression.Request {
	headers := map[string][]string{}
	for _, name := range []string{"x-a", "x-b"} {
		if r.IntN(2) == 0 {
			headers[name] = []string{"1"}
		}
	}
	return expression.Request{
		Protocol: "http", Method: oneOfThese(r, "GET", "POST"), Headers: headers,
		Host: oneOfThese(r, "abc.abcd", "abd.abcd", "abc.abce", "x.abc.abcd", "y.x.abc.abcd", "other.test"),
		Path: oneOfThese(r, "/", "/a", "/a/", "/ab", "/a/b", "/b", "/b/a", "/aa", "/abc", "/"+strings.Repeat("x", 2100)+"/y/z"),
	}
}

// TestNothingTies holds that two routes of one priority that match one request are in one rank,
// so that places order them. Otherwise Kong would order them by their ids.
func TestNothingTies(t *testing.T) {
	type found struct {
		rank    routing.Rank
		program *expression.Program
	}
	met := 0
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		byPriority := map[uint64][]found{}
		for range 120 {
			m := someMatch(r)
			ranking, err := Ranked(route.Route{Name: "r", Protocols: []string{"http"}, Match: m}, limit.Limits{}.InEffect())
			if err != nil {
				t.Fatal(err)
			}
			expr, err := routing.Expression(m)
			if err != nil {
				t.Fatal(err)
			}
			program, err := expression.Compile(expr)
			if err != nil {
				t.Fatal(err)
			}
			byPriority[routing.Priority(m)] = append(byPriority[routing.Priority(m)], found{ranking.Rank, program})
		}
		for range 60 {
			q := someRequest(r)
			for _, all := range byPriority {
				var rank *routing.Rank
				for _, f := range all {
					if _, in := f.program.Eval(&q); !in {
						continue
					}
					if rank != nil && *rank != f.rank {
						t.Fatalf("seed %d: %+v matches routes of one priority in the ranks %+v and %+v", seed, q, *rank, f.rank)
					}
					if rank != nil {
						met++
					}
					rank = &f.rank
				}
			}
		}
	}
	if met < 1000 {
		t.Errorf("only %d times a request matched two routes of one rank", met)
	}
}
