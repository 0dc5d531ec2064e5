package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// TestLongBuildSaysThatItGoesOn runs progress.sh with scripts in place of Go.
func TestLongBuildSaysThatItGoesOn(t *testing.T) {
	finish := filepath.Join(t.TempDir(), "finish")
	script := `echo k8s.io/api >&2; echo go: downloading x v1 >&2; until [ -e "` + finish + `" ]; do sleep 0.1; done; echo done`
	command := exec.Command("./progress.sh", "sh", "-c", script)
	out := &buffer{}
	command.Stdout, command.Stderr = out, out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"The first time", "1 packages so far", "go: downloading x v1"} {
		eventually.True(t, time.Minute, "it says "+part, func() bool { return strings.Contains(out.String(), part) })
	}
	if err := os.WriteFile(finish, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || !strings.HasSuffix(out.String(), "done\n") {
		t.Errorf("error %v\n%s", err, out)
	}
}

func TestShortBuildIsQuiet(t *testing.T) {
	out, err := exec.Command("./progress.sh", "sh", "-c", "echo k8s.io/api >&2").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("error %v\n%s", err, out)
	}
}

func TestFailedBuildSaysWhy(t *testing.T) {
	out, err := exec.Command("./progress.sh", "sh", "-c", "echo k8s.io/api >&2; echo '# x' >&2; echo 'a.go:1:2: undefined: b' >&2; exit 3").CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok || failed.ExitCode() != 3 || string(out) != "# x\na.go:1:2: undefined: b\n" {
		t.Errorf("error %v\n%s", err, out)
	}
}

func TestInterruptedBuildLeavesNothing(t *testing.T) {
	logs := t.TempDir()
	command := exec.Command("./progress.sh", "sh", "-c", "echo k8s.io/api >&2; sleep 600")
	command.Env = append(os.Environ(), "TMPDIR="+logs)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &buffer{}
	command.Stdout = out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, time.Minute, "it says that it goes on", func() bool { return strings.Contains(out.String(), "1 packages") })
	if err := syscall.Kill(-command.Process.Pid, syscall.SIGINT); err != nil { // as a terminal does
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil {
		t.Error("it ended well")
	}
	if left, _ := os.ReadDir(logs); len(left) > 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
	eventually.True(t, time.Minute, "all of its processes have ended", func() bool {
		return errors.Is(syscall.Kill(-command.Process.Pid, 0), syscall.ESRCH)
	})
}
