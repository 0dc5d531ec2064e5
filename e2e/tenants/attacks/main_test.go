package attacks

import (
	"slices"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

func TestMain(m *testing.M) {
	lab.MainWithoutControlPlane(m, lab.Program{Image: pod.KubeSync, Package: "github.com/kube-sync/kube-sync/plugin"})
}

// need skips the test if it cannot run.
func need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no Kong is started")
	}
	lab.Require(t)
	pod.NeedPlugins(t)
	pod.NeedSeveral(t)
}

// TestTenants runs all attacks on a shared gateway.
func TestTenants(t *testing.T) {
	need(t)
	s := startServers(t)
	attackAll(t, s, nil, shared(s))
}

// shared are the attacks on a shared gateway.
func shared(s *servers) []attack {
	return slices.Concat(hosts(), references(), certificates(s), consumers(), onRequests(), counters(), addresses(), circles(), egress(), files(), templates(), storms(), crashes(), sizes())
}

// attackAll runs attacks one after the other. If one damages the gateway, the next one gets a new gateway.
func attackAll(t *testing.T, s *servers, settings map[string]string, attacks []attack) {
	t.Helper()
	var w *world
	var rows []row
	for _, a := range attacks {
		if w == nil {
			w = startWorld(t, s, settings)
		}
		t.Run(a.name, func(t *testing.T) {
			r, intact := w.run(t, a)
			if r.failed = t.Failed(); !intact {
				w.Kill()
				w = nil
			}
			rows = append(rows, r)
		})
	}
	report(t, rows)
}
