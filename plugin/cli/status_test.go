package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestStatusWithoutAGateway(t *testing.T) {
	t.Setenv("KONG_PREFIX", "")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a prefix without a gateway":     {[]string{"--kong-prefix", t.TempDir()}, exitError, "Kong's log says why"},
		"to wait for another cluster":    {[]string{"--kubeconfig", "none", "--wait"}, exitError, "run it in the container"},
		"a kubeconfig that is not there": {[]string{"--kubeconfig", "none"}, exitError, "none"},
		"a wrong format":                 {[]string{"-o", "xml"}, exitUsage, "table, json or yaml"},
		"a wrong time":                   {[]string{"--wait", "--timeout", "soon"}, exitUsage, "timeout"},
	} {
		var out, err bytes.Buffer
		if code := Run(append([]string{"status"}, c.args...), &out, &err); code != c.code || !strings.Contains(err.String(), c.says) {
			t.Errorf("%s: exit code %d, want %d: %s", name, code, c.code, err.String())
		}
	}
}
