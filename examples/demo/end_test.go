package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/kongtest"
)

// TestNothingIsLeftBehind holds that a demo whose terminal is closed, or that is killed, leaves no process
// behind, and that the next one starts at once.
func TestNothingIsLeftBehind(t *testing.T) {
	// Under nohup the tests' own children would ignore SIGHUP, too. What a process catches, its children do not ignore.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	onBoth(t, func(t *testing.T, args ...string) {
		for _, sent := range []syscall.Signal{syscall.SIGHUP, syscall.SIGKILL} {
			t.Run(sent.String(), func(t *testing.T) {
				o := testOptions(t, args...)
				manifests := examplesFor(t, o)
				command := asDemo(t, o, append(args, "-manifests", manifests)...)
				out := &buffer{}
				command.Stdout, command.Stderr = out, out
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				eventually.True(t, 5*time.Minute, "the demo follows the manifests", func() bool { return strings.Contains(out.String(), "Ctrl-C") })
				if all := processesOf(o); len(all) < 3 {
					t.Fatalf("the demo, a gateway and kube-sync are expected, but there are only the processes %v", all)
				}
				if err := command.Process.Signal(sent); err != nil {
					t.Fatal(err)
				}
				ended := make(chan struct{})
				go func() {
					_ = command.Wait() // with the signal
					close(ended)
				}()
				select {
				case <-ended:
				case <-time.After(time.Minute):
					t.Error("the demo does not end")
					_ = command.Process.Kill()
				}
				next := asDemo(t, o, append(args, "-manifests", manifests, "-once")...)
				if out, err := next.CombinedOutput(); err != nil {
					t.Errorf("the next demo: %v\n%s", err, out)
				}
				eventually.True(t, time.Minute, "all processes have ended", func() bool { return len(processesOf(o)) == 0 })
			})
		}
	})
}

// TestDirectoryWithSpecialCharacters holds that the demo runs in a repository whose path nginx and shells take for
// something else.
func TestDirectoryWithSpecialCharacters(t *testing.T) {
	onBoth(t, func(t *testing.T, args ...string) {
		o := testOptions(t, args...)
		root := filepath.Join(t.TempDir(), "it's a $dir; #1 {x}")
		copyTree(t, "../../kong-conf/lua", filepath.Join(root, "kong-conf/lua"))
		copyTree(t, "../../kong-conf/kong.conf", filepath.Join(root, "kong-conf/kong.conf"))
		copyTree(t, examplesFor(t, o), filepath.Join(root, "examples"))
		copyTree(t, o.kubeSync, filepath.Join(root, "bin/kube-sync"))
		command := asDemo(t, o, append(args, "-once", "-dir", filepath.Join(root, ".run"), "-manifests", filepath.Join(root, "examples"),
			"-conf", filepath.Join(root, "kong-conf/kong.conf"), "-kube-sync", filepath.Join(root, "bin/kube-sync"))...)
		output, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "has special characters") {
			t.Errorf("error %v\n%s", err, output)
		}
		for line := range strings.Lines(string(output)) {
			if _, after, ok := strings.Cut(line, "The gateway's files are in "); ok {
				dir, _, _ := strings.Cut(after, ":")
				t.Cleanup(func() { os.RemoveAll(dir) })
			}
		}
	})
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-r", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
}

// asDemo returns a command that runs this executable as the demo with the ports and the directory of options.
func asDemo(t *testing.T, o *options, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"-dir", o.dir, "-conf", o.conf}
	for name, p := range map[string]port{"http": o.http, "https": o.https, "health": o.health, "metrics": o.metrics, "page": o.page, "shop": o.shop, "blog": o.blog} {
		all = append(all, "-"+name+"-port", strconv.Itoa(p.number))
	}
	command := exec.Command(self, append(all, args...)...)
	command.Env = append(os.Environ(), demoVariable+"=1")
	t.Cleanup(func() {
		if command.Process != nil && command.ProcessState == nil {
			_ = command.Process.Kill()
		}
	})
	return command
}

// processesOf returns the processes of a gateway: those that name its directory, on their command lines or, like
// the workers and the stand-in, in their environment.
func processesOf(o *options) []int {
	return kongtest.Processes(func(pid int, command string) bool {
		environment, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		return strings.Contains(command, o.dir) || strings.Contains(string(environment), "="+o.dir)
	})
}
