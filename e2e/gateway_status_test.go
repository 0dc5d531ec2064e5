package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
	clusterstatus "github.com/kube-sync/kube-sync/plugin/cli/status"
	"github.com/kube-sync/kube-sync/plugin/inspect"
)

// runStatus runs kube-sync status and returns what it prints, and its exit code.
func runStatus(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(lab.Executable(t, pod.KubeSync), append([]string{"status"}, args...)...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if failure := cmd.Run(); failure != nil && cmd.ProcessState == nil {
		t.Fatal(failure)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// After kube-sync status --wait, every request is answered as the objects that were written before say.
// The times of a change are in the order in which they happened.
func TestStatusWaits(t *testing.T) {
	s := newScene(t, nil)
	if s.gw.Prefix == "" {
		lab.Skip(t, "needs a command in the gateway's container")
	}
	host := s.host("status")
	s.want(t, request{host: host}, http.StatusNotFound, nil)
	answered := func(path string, want int) {
		t.Helper()
		for range connections {
			a, err := get(s.gw.HTTP, host, path)
			if err != nil || a.status != want {
				t.Fatalf("%s%s after the wait: %d, want %d (%v)", host, path, a.status, want, err)
			}
		}
	}
	s.apply(t, ingress("first", host, "/first", "web"))
	s.want(t, request{host: host, path: "/first"}, http.StatusOK, nil) // web has endpoints
	for round := range 10 {
		before := time.Now()
		path := fmt.Sprint("/round", round)
		manifest := ingress("round", host, path, "web")
		s.apply(t, manifest)
		stdout, stderr, code := runStatus(t, "--kong-prefix", s.gw.Prefix, "--wait", "-o", "json")
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		answered(path, http.StatusOK)
		var state inspect.Status
		if err := json.Unmarshal([]byte(stdout), &state); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(state.Changes, func(c inspect.Change) bool {
			return slices.ContainsFunc(c.Objects, func(o inspect.ChangedObject) bool { return o.Namespace == s.ns && o.Name == "round" && !o.Deleted })
		})
		if at < 0 {
			t.Fatalf("round %d: no change has the Ingress: %+v", round, state.Changes)
		}
		c := state.Changes[at]
		if c.Written.Before(before.Truncate(time.Second)) || c.Seen.Before(before) || c.Effective.Before(c.Seen) || c.Acknowledged.Before(c.Seen) {
			t.Errorf("round %d: written %v, seen %v, acknowledged %v, effective %v, not before %v", round, c.Written, c.Seen, c.Acknowledged, c.Effective, before)
		}
		if len(state.Workers) == 0 || slices.ContainsFunc(state.Workers, func(w inspect.Worker) bool { return !w.Current || w.PID == 0 }) {
			t.Errorf("round %d: the workers are %+v", round, state.Workers)
		}
		s.remove(t, manifest)
		if _, stderr, code := runStatus(t, "--kong-prefix", s.gw.Prefix, "--wait"); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		answered(path, http.StatusNotFound)
	}
}

// From outside, status says what the cluster knows, and that it does not know the rest.
func TestStatusFromOutside(t *testing.T) {
	s := newScene(t, nil)
	kubeconfig := s.cp.Kubeconfig
	s.apply(t, ingress("broken", s.host("broken"), "/", "nope"))
	object := inspect.Object{Kind: "Ingress", Namespace: s.ns, Name: "broken"}
	eventually.Nil(t, time.Minute, func() error {
		stdout, stderr, code := runStatus(t, "--kubeconfig", kubeconfig, "-o", "json")
		var c clusterstatus.Cluster
		if err := json.Unmarshal([]byte(stdout), &c); err != nil || code != 0 {
			return fmt.Errorf("exit code %d, %v: %s", code, err, stderr)
		}
		if !slices.ContainsFunc(c.Leases, func(l clusterstatus.Lease) bool { return l.Name == "kube-sync-kong" && l.Holder != "" && !l.Expired }) {
			return fmt.Errorf("the Leases are %+v", c.Leases)
		}
		at := slices.IndexFunc(c.Faults, func(f inspect.Faulty) bool { return f.Object == object })
		if at < 0 || c.Faults[at].Faults[0].Reason != "ServiceNotFound" {
			return fmt.Errorf("the faults are %+v", c.Faults)
		}
		if !slices.ContainsFunc(c.Unknown, func(u string) bool { return strings.Contains(u, "kube-sync status") }) {
			return fmt.Errorf("unknown is %q", c.Unknown)
		}
		return nil
	})
	if stdout, _, code := runStatus(t, "--kubeconfig", kubeconfig); code != 0 || !strings.Contains(stdout, "Ingress "+s.ns+"/broken:") || !strings.Contains(stdout, "Unknown") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if _, stderr, code := runStatus(t, "--kubeconfig", kubeconfig, "--wait"); code != 1 || !strings.Contains(stderr, "kubectl exec") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
