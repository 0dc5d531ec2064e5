package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// sayEvery is the longest time without output.
const sayEvery = 10 * time.Second

// event is a line of go test -json: see go doc test2json.
type event struct {
	Time    time.Time
	Action  string
	Package string
	Test    string
	Output  string
}

// progress prints the output of go test -json for people.
type progress struct {
	out     io.Writer
	started time.Time
	running map[string]*testPackage
	ended   int
}

// testPackage is a package whose tests run.
type testPackage struct {
	started time.Time
	latest  string // the test that started last
	// output is by test, and under "" what belongs to no test. A test that passes is removed.
	output map[string][]string
	order  []string
}

func newProgress(out io.Writer, now time.Time) *progress {
	return &progress{out: out, started: now, running: map[string]*testPackage{}}
}

// follow prints lines until there are no more, and at each tick what is running if nothing was printed since the last one.
func (p *progress) follow(lines <-chan []byte, ticks <-chan time.Time) {
	printed := false
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return
			}
			printed = p.take(line) || printed
		case now := <-ticks:
			if !printed {
				fmt.Fprintln(p.out, p.state(now))
			}
			printed = false
		}
	}
}

// take prints what people want to see of a line at once. It reports whether it has printed.
func (p *progress) take(line []byte) bool {
	var e event
	if json.Unmarshal(line, &e) != nil {
		_, _ = p.out.Write(line) // not of test2json
		return true
	}
	if e.Action == "build-output" {
		fmt.Fprint(p.out, e.Output)
		return true
	}
	if e.Package == "" {
		return false
	}
	t := p.running[e.Package]
	if t == nil {
		t = &testPackage{started: e.Time, output: map[string][]string{}}
		p.running[e.Package] = t
	}
	switch e.Action {
	case "run":
		t.latest = e.Test
	case "output":
		return p.keep(t, e)
	case "pass", "skip", "fail":
		return p.end(t, e)
	}
	return false
}

// keep stores output until its test has ended. The lab says at once what it builds.
func (p *progress) keep(t *testPackage, e event) bool {
	if e.Test == "" && strings.HasPrefix(e.Output, "lab: ") {
		fmt.Fprint(p.out, e.Output)
		return true
	}
	if _, ok := t.output[e.Test]; !ok {
		t.order = append(t.order, e.Test)
	}
	t.output[e.Test] = append(t.output[e.Test], e.Output)
	return false
}

// end forgets a test that has not failed, and prints a package.
func (p *progress) end(t *testPackage, e event) bool {
	if e.Test != "" {
		if e.Action != "fail" {
			delete(t.output, e.Test)
		}
		return false
	}
	delete(p.running, e.Package)
	p.ended++
	if e.Action == "fail" {
		for _, test := range t.order {
			fmt.Fprint(p.out, strings.Join(t.output[test], ""))
		}
		return true
	}
	if result := t.output[""]; len(result) > 0 {
		fmt.Fprint(p.out, result[len(result)-1]) // ok, the package and its time
	}
	return true
}

// state says what is running.
func (p *progress) state(now time.Time) string {
	line := fmt.Sprintf("%s: %d packages have ended; ", now.Sub(p.started).Round(time.Second), p.ended)
	if len(p.running) == 0 {
		return line + "Go compiles the next ones"
	}
	var running []string
	for _, name := range slices.Sorted(maps.Keys(p.running)) {
		t := p.running[name]
		one := fmt.Sprintf("%s for %s", path.Join(path.Base(path.Dir(name)), path.Base(name)), max(0, now.Sub(t.started)).Round(time.Second))
		if t.latest != "" {
			one += " (" + t.latest + ")"
		}
		running = append(running, one)
	}
	return line + "running " + strings.Join(running, ", ")
}
