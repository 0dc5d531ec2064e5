package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long Kong may take to end after it was asked to.
const stopTime = 10 * time.Second

// startKong starts Kong in the foreground, as in a container.
func startKong(kong string, o *options, environ []string, log io.Writer) (*gateway, error) {
	cmd := exec.Command(kong, "start", "-c", o.conf)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KONG_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, environ...)
	cmd.Env = append(cmd.Env,
		"KONG_NGINX_DAEMON=off",
		// Plugin servers' output is logged at this level.
		"KONG_LOG_LEVEL=info", "KONG_PROXY_ERROR_LOG=/dev/stderr", "KONG_ADMIN_ERROR_LOG=/dev/stderr",
		"KONG_PROXY_ACCESS_LOG=off",
	)
	cmd.Stdout, cmd.Stderr = log, log
	// A signal from the terminal is for the demo, which then ends Kong.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pidFile := filepath.Join(o.prefix(), "pids", "nginx.pid")
	for _, stale := range []string{o.adminSocket(), pidFile} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("left over from an earlier run: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(o.adminSocket()), 0o750); err != nil {
		return nil, fmt.Errorf("directory of the Admin API's socket: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("kong: %w", err)
	}
	ended := make(chan struct{})
	g := &gateway{name: "Kong " + version(kong) + ", " + kong, ended: ended}
	go func() {
		g.err = cmd.Wait()
		close(ended)
	}()
	g.stop = func() { stopKong(cmd, pidFile, ended) }
	return g, nil
}

// stopKong asks nginx to end, which is a grandchild and has written its pid, and ends
// what is left of the process group when that takes too long.
func stopKong(cmd *exec.Cmd, pidFile string, ended <-chan struct{}) {
	if master := readPid(pidFile); master > 0 {
		syscall.Kill(master, syscall.SIGTERM)
	} else {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	}
	select {
	case <-ended:
	case <-time.After(stopTime):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
}

func readPid(file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0
	}
	return pid
}

func version(kong string) string {
	out, err := exec.Command(kong, "version").Output()
	if err != nil {
		return "of unknown version"
	}
	return strings.TrimSpace(string(out))
}
