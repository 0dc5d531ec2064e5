package expression

import (
	"strconv"
	"testing"
)

func hostAndPath(i int) Expr {
	n := strconv.Itoa(i)
	return And(
		Equal(HTTPHost, "shop-"+n+".example.com"),
		Or(Equal(HTTPPath, "/api/"+n), HasPrefix(HTTPPath, "/api/"+n+"/")),
	)
}

func BenchmarkBuildAndPrint(b *testing.B) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = hostAndPath(i % 10_000).String()
	}
}

func BenchmarkPrint(b *testing.B) {
	e := hostAndPath(1234)
	b.ReportAllocs()
	for b.Loop() {
		_ = e.String()
	}
}

func BenchmarkParse(b *testing.B) {
	src := hostAndPath(1234).String()
	b.ReportAllocs()
	for b.Loop() {
		_ = must(Parse(src))
	}
}

// BenchmarkEval10000 evaluates 10 000 programs per iteration, of which only the last is true.
func BenchmarkEval10000(b *testing.B) {
	programs := make([]*Program, 10_000)
	for i := range programs {
		programs[i] = must(Compile(hostAndPath(i)))
	}
	r := &Request{Host: "shop-9999.example.com", Path: "/api/9999/x"}
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		for _, p := range programs {
			if _, ok := p.Eval(r); ok {
				found++
			}
		}
		if found != 1 {
			b.Fatal(found)
		}
	}
}

func BenchmarkEvalRegex(b *testing.B) {
	p := must(Compile(must(Matches(HTTPPath, `^/api/(?<id>[0-9]+)/`))))
	r := &Request{Path: "/api/1234/x"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.Eval(r); !ok {
			b.Fatal("no match")
		}
	}
}
