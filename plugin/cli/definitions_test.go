package cli

import (
	"bytes"
	"strings"
	"testing"
)

func TestDefinitions(t *testing.T) {
	for _, test := range []struct {
		args             []string
		gatewayAPI, kong bool
		experimental     bool
		code             int
	}{
		{nil, true, true, false, exitOK},
		{[]string{"-experimental"}, true, true, true, exitOK},
		{[]string{"-only", "kong"}, false, true, false, exitOK},
		{[]string{"-only", "gateway-api", "-experimental"}, true, false, true, exitOK},
		{[]string{"-only", "istio"}, false, false, false, exitUsage},
		{[]string{"kong"}, false, false, false, exitUsage},
	} {
		var out, err bytes.Buffer
		code := Run(append([]string{"definitions"}, test.args...), &out, &err)
		has := func(text string) bool { return strings.Contains(out.String(), text) }
		if code != test.code ||
			has("\n  name: httproutes.gateway.networking.k8s.io\n") != test.gatewayAPI ||
			has("\n  name: kongplugins.configuration.konghq.com\n") != test.kong ||
			has("gateway.networking.k8s.io/channel: experimental\n") != test.experimental ||
			(code != exitOK) != (err.Len() > 0) {
			t.Errorf("definitions %v: exit code %d, %d bytes, %s", test.args, code, out.Len(), &err)
		}
	}
}
