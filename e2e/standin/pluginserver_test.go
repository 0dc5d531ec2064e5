package standin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
)

// script writes a plugin server and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPluginServerStartsAsUnderKong(t *testing.T) {
	t.Setenv("TZ", "Europe/Vienna")
	t.Setenv("SECRET", "x")
	prefix := prefixOf(t)
	// It runs until its standard input is closed, or until SIGTERM.
	server := script(t, `
trap 'echo asked to end; exit 0' TERM
echo "vars: $(tr '\0' ' ' < /proc/$$/environ)"
grep '^pluginserver_my_plugin_color' "$1"/.kong_env >&2
exec 3<&0
cat <&3 & wait`)
	h := start(t, prefix, "KONG_PLUGINSERVER_NAMES=my-plugin", "KONG_PLUGINSERVER_MY_PLUGIN_COLOR=blue",
		"KONG_PLUGINSERVER_MY_PLUGIN_START_CMD="+server+" "+prefix)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"] vars: PWD=" + dir + " TZ=Europe/Vienna\"", "] pluginserver_my_plugin_color = blue"} {
		eventually.True(t, 10*time.Second, "line "+line, func() bool { return strings.Contains(h.log.String(), line) })
	}
	if !strings.Contains(h.log.String(), "[my-plugin:") {
		t.Errorf("no prefix in %s", h.log)
	}
	h.Close()
	if !strings.Contains(h.log.String(), "asked to end") {
		t.Errorf("no SIGTERM at the end: %s", h.log)
	}
}

func TestPluginServerIsStartedAgainAfterASecond(t *testing.T) {
	starts := filepath.Join(t.TempDir(), "starts")
	server := script(t, "date +%s%N >> "+starts)
	start(t, prefixOf(t), "KONG_PLUGINSERVER_NAMES=p", "KONG_PLUGINSERVER_P_START_CMD="+server)
	var times []int64
	eventually.True(t, 10*time.Second, "three starts", func() bool {
		data, _ := os.ReadFile(starts)
		times = nil
		for _, line := range strings.Fields(string(data)) {
			var n int64
			_, _ = fmt.Sscan(line, &n)
			times = append(times, n)
		}
		return len(times) >= 3
	})
	for i := range times[1:] {
		// The clock is read some time after the start, so two readings may be
		// closer than the delay.
		if gap := time.Duration(times[i+1] - times[i]); gap < respawnDelay/2 {
			t.Errorf("%s between two starts", gap)
		}
	}
}

func TestMissingPluginServerIsLogged(t *testing.T) {
	h := start(t, prefixOf(t), "KONG_PLUGINSERVER_NAMES=p", "KONG_PLUGINSERVER_P_START_CMD=/no/such/file")
	eventually.True(t, 10*time.Second, "an error about the command", func() bool {
		return strings.Contains(h.log.String(), "start command not found")
	})
}
