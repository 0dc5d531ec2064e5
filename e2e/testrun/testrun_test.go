package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRaceUnavailable(t *testing.T) {
	dir := t.TempDir()
	compiler := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\ncat >/dev/null\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		env  map[string]string
		want string // a part; "" for none
	}{
		"no cgo":      {map[string]string{"CGO_ENABLED": "0", "CC": "gcc"}, "needs cgo, and with it a C compiler"},
		"no compiler": {map[string]string{"CGO_ENABLED": "1"}, "names no C compiler"},
		"missing":     {map[string]string{"CGO_ENABLED": "1", "CC": filepath.Join(dir, "nowhere")}, "nowhere does not work"},
		"no headers": {
			map[string]string{"CGO_ENABLED": "1", "CC": compiler("bare", "echo 'stdlib.h: No such file' >&2; exit 1")},
			"headers (Debian: apt-get install gcc libc6-dev): stdlib.h: No such file.",
		},
		"complete": {map[string]string{"CGO_ENABLED": "1", "CC": compiler("cc", "") + " -m64"}, ""},
	} {
		got := raceUnavailable(func(name string) string { return c.env[name] })
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A PATH without a C compiler leaves the race detector out, in the first lines and in the last ones, and the tests run.
func TestRunWithoutCompiler(t *testing.T) {
	goPath, err := exec.LookPath("go")
	if err != nil {
		t.Skip("go is not on PATH: the whole command is not tested")
	}
	bin := t.TempDir()
	if err := os.Symlink(goPath, filepath.Join(bin, "go")); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "testrun")
	if out, err := exec.Command(goPath, "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-count=1", "../lab/summary")
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); name != "PATH" && name != "CC" && name != "CGO_ENABLED" {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "PATH="+bin)
	out, err := cmd.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) < 5 {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range []string{lines[1], lines[len(lines)-2]} {
		if !strings.HasPrefix(line, "The race detector was left out: it needs cgo") {
			t.Errorf("line %q\nof:\n%s", line, out)
		}
	}
	if !strings.Contains(string(out), "\nok  \tgithub.com/kube-sync/kube-sync/e2e/lab/summary\t") {
		t.Errorf("no result:\n%s", out)
	}
}

func TestExitCodeIsThatOfGoTest(t *testing.T) {
	if code, err := goTest([]string{"test", "-json", "./does-not-exist"}); code == 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

func TestProgress(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	lines, ticks := make(chan []byte), make(chan time.Time)
	var out bytes.Buffer
	p := newProgress(&out, start)
	done := make(chan struct{})
	go func() { defer close(done); p.follow(lines, ticks) }()
	send := func(e event) {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines <- append(line, '\n')
	}
	ticks <- at(10)
	send(event{Action: "start", Package: "m/good", Time: at(11)})
	send(event{Action: "output", Package: "m/good", Output: "lab: compiling\n"})
	ticks <- at(20) // no state: a line was printed
	send(event{Action: "run", Package: "m/good", Test: "TestOne"})
	send(event{Action: "output", Package: "m/good", Test: "TestOne", Output: "quiet\n"})
	send(event{Action: "start", Package: "m/bad", Time: at(21)})
	ticks <- at(31)
	send(event{Action: "pass", Package: "m/good", Test: "TestOne"})
	send(event{Action: "output", Package: "m/good", Output: "PASS\n"})
	send(event{Action: "output", Package: "m/good", Output: "ok  \tm/good\t1s\n"})
	send(event{Action: "pass", Package: "m/good"})
	for _, test := range []string{"TestFine", "TestBad", "TestPanics"} {
		send(event{Action: "output", Package: "m/bad", Test: test, Output: test + " says\n"})
	}
	send(event{Action: "pass", Package: "m/bad", Test: "TestFine"})
	send(event{Action: "fail", Package: "m/bad", Test: "TestBad"})
	send(event{Action: "output", Package: "m/bad", Output: "FAIL\tm/bad\t1s\n"})
	send(event{Action: "fail", Package: "m/bad"})
	send(event{Action: "build-output", Output: "x.go:1: syntax error\n"})
	close(lines)
	<-done
	const want = `10s: 0 packages have ended; Go compiles the next ones
lab: compiling
31s: 0 packages have ended; running m/bad for 10s, m/good for 20s (TestOne)
ok  	m/good	1s
TestBad says
TestPanics says
FAIL	m/bad	1s
x.go:1: syntax error
`
	if out.String() != want {
		t.Errorf("printed:\n%s\nwant:\n%s", out.String(), want)
	}
}
