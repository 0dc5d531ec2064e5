package kongtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Installed reports whether a kong is on PATH.
func Installed() bool {
	_, err := exec.LookPath("kong")
	return err == nil
}

// Version returns the version of the kong on PATH, such as "3.9.1".
func Version() (string, error) {
	output, err := exec.Command("kong", "version").Output()
	return strings.TrimSpace(string(output)), err
}

// Nginx returns the path of the nginx that the kong on PATH starts. Kong itself searches, so that its setting
// openresty_path, its search path and the version that it requires apply. The error has Kong's reason.
var Nginx = sync.OnceValues(findNginx)

// NeedNginx ends the test at once if there is a kong on PATH that cannot start an nginx.
func NeedNginx(t testing.TB) {
	t.Helper()
	if !Installed() {
		return
	}
	if _, err := Nginx(); err != nil {
		t.Fatal(err)
	}
}

var foundNginx = regexp.MustCompile(`found OpenResty 'nginx' executable at (.+)`)

func findNginx() (string, error) {
	prefix, err := os.MkdirTemp("", "kong")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(prefix)
	cmd := exec.Command("kong", "prepare", "--vv", "-p", prefix)
	cmd.Env = append(os.Environ(), "KONG_DATABASE=off")
	output, failure := cmd.CombinedOutput()
	if found := foundNginx.FindSubmatch(output); found != nil {
		return exec.LookPath(string(found[1]))
	}
	if failure == nil {
		failure = errors.New("its output does not name an nginx")
	}
	return "", fmt.Errorf("the kong on PATH cannot start its nginx: install OpenResty where Kong looks for it, set KONG_OPENRESTY_PATH, "+
		"or take kong out of PATH to test without it: %s: %w\n%s", strings.Join(cmd.Args[:3], " "), failure, searchOf(string(output)))
}

// searchOf returns what Kong logs about its search, or the end of its output if it has not searched.
func searchOf(output string) string {
	var search []string
	all := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range all {
		if strings.Contains(line, "OpenResty") || strings.Contains(line, "nginx -v:") {
			search = append(search, line)
		}
	}
	if search == nil {
		search = all[max(0, len(all)-10):]
	}
	return strings.Join(search, "\n")
}
