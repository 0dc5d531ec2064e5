package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab/summary"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run returns the exit code of go test.
func run(args []string) (int, error) {
	dir, err := os.MkdirTemp("", "testrun")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	met := filepath.Join(dir, "summary")
	command := []string{"test", "-json"}
	without := raceUnavailable(goEnv)
	if without == "" {
		command = append(command, "-race")
	}
	fmt.Println("The first run compiles all packages and a Kubernetes control plane, which takes minutes and about 7 GB in Go's caches.")
	say(without)
	code, err := goTest(append(command, args...), summary.Variable+"="+met)
	if err != nil {
		return 0, err
	}
	written, err := os.ReadFile(met)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	say(without)
	fmt.Println(summary.Of(string(written)))
	return code, nil
}

// say prints a line unless it is empty.
func say(line string) {
	if line != "" {
		fmt.Println(line)
	}
}

// goTest runs go with the arguments and prints its progress.
func goTest(args []string, variables ...string) (code int, err error) {
	cmd := exec.Command("go", args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), variables...), os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	p := newProgress(os.Stdout, time.Now())
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for reader := bufio.NewReader(output); ; {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	p.follow(lines, time.Tick(sayEvery))
	if err := cmd.Wait(); err != nil {
		return max(cmd.ProcessState.ExitCode(), 1), nil // a signal leaves no code
	}
	return 0, nil
}
