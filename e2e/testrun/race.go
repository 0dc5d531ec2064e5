package main

import (
	"bytes"
	"os/exec"
	"strings"
)

// raceUnavailable returns why the race detector cannot be used, or "".
func raceUnavailable(goEnv func(name string) string) string {
	const left = "The race detector was left out: "
	if goEnv("CGO_ENABLED") != "1" {
		return left + "it needs cgo, and with it a C compiler (Debian: apt-get install gcc libc6-dev) and no CGO_ENABLED=0."
	}
	compiler := strings.Fields(goEnv("CC"))
	if len(compiler) == 0 {
		return left + "go env CC names no C compiler (Debian: apt-get install gcc libc6-dev)."
	}
	cmd := exec.Command(compiler[0], append(compiler[1:], "-E", "-")...)
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\n#include <pthread.h>\n")
	if output, err := cmd.CombinedOutput(); err != nil {
		return left + "the C compiler " + compiler[0] + " does not work or lacks the C library's headers (Debian: apt-get install gcc libc6-dev): " +
			firstLine(output, err) + "."
	}
	return ""
}

func firstLine(output []byte, err error) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(output), []byte("\n"))
	if len(line) == 0 {
		return err.Error()
	}
	return string(line)
}

func goEnv(name string) string {
	output, _ := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(output))
}
