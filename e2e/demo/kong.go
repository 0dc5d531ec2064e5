package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// startKong starts Kong in the foreground, as in a container.
func startKong(kong string, o *options, environ []string, log *os.File) (*gateway, error) {
	pidFile := filepath.Join(o.prefix(), "pids", "nginx.pid")
	cmd := exec.Command(kong, "start", "-c", o.conf)
	g, err := start(cmd, append(environ,
		"KONG_NGINX_DAEMON=off", "KONG_PROXY_ACCESS_LOG=off",
		"KONG_PROXY_ERROR_LOG=/dev/stderr", "KONG_ADMIN_ERROR_LOG=/dev/stderr"), log)
	if err != nil {
		return nil, fmt.Errorf("kong: %w", err)
	}
	g.name = "Kong " + version(kong) + ", " + kong
	g.stop = func() {
		// nginx is a grandchild, which has written its pid; before that there is
		// only the command.
		if master := readPid(pidFile); master > 0 {
			_ = syscall.Kill(master, syscall.SIGTERM)
		} else {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		}
		g.await(cmd)
	}
	return g, nil
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
