package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// serving is a gateway that serves an app under load.
type serving struct {
	cp      *lab.ControlPlane
	gw      *pod.Pod
	ns      string
	host    string
	traffic *load
}

func startServing(t *testing.T, cp *lab.ControlPlane) *serving {
	t.Helper()
	gw := gateway(t, cp, nil)
	ns := cp.Namespace(t)
	s := &serving{cp: cp, gw: gw, ns: ns, host: ns + ".example"}
	cp.MustApply(t, ns, app("web", s.host, 2))
	wantStatus(t, gw.HTTP, s.host, "/", http.StatusOK)
	ready(t, cp, ns, 2)
	s.traffic = startLoad(t, gw.HTTP, s.host)
	s.traffic.Answered(t, 20)
	return s
}

// takesChanges checks that the gateway still follows the cluster.
func (s *serving) takesChanges(t *testing.T, name string) {
	t.Helper()
	s.cp.MustApply(t, s.ns, ingress(name, name+"."+s.host, "/", "web"))
	wantStatus(t, s.gw.HTTP, name+"."+s.host, "/", http.StatusOK)
	wantStatus(t, s.gw.HTTP, s.host, "/", http.StatusOK)
}

// kube-sync is killed. Kong starts it again, and no request fails.
func TestKubeSyncKilled(t *testing.T) {
	s := startServing(t, cluster(t))
	before := s.gw.KubeSyncs()
	if len(before) != 1 {
		t.Fatalf("kube-syncs %v, want one", before)
	}
	kill(t, before[0])
	eventually.Nil(t, time.Minute, func() error {
		if now := s.gw.KubeSyncs(); len(now) != 1 || now[0] == before[0] {
			return fmt.Errorf("kube-syncs %v, want a new one", now)
		}
		return nil
	})
	s.takesChanges(t, "after")
	s.traffic.Stop(t)
}

// Kong's worker 0, the parent of kube-sync, is killed. The orphan ends, and the kube-sync of
// the new worker follows the cluster.
func TestWorkerZeroKilled(t *testing.T) {
	cp := cluster(t)
	s := startServing(t, cp)
	s.gw.NeedKong()
	orphan, worker := s.gw.KubeSyncs(), s.gw.WorkerZero()
	kill(t, worker)
	eventually.Nil(t, time.Minute, func() error {
		now := s.gw.KubeSyncs()
		if len(now) != 1 || slices.Equal(now, orphan) {
			return fmt.Errorf("kube-syncs %v, want one other than the orphan %v", now, orphan)
		}
		return nil
	})
	s.takesChanges(t, "after")
	// Requests of the dead worker are lost. Later ones must not fail.
	s.traffic.Forgive(t, 5)
	s.traffic.Stop(t)
}

// Kong is killed as a whole and started again with its prefix. It serves its old
// configuration before kube-sync is ready, and then the changes meanwhile.
func TestKongKilled(t *testing.T) {
	s := startServing(t, cluster(t))
	s.traffic.Stop(t)
	s.gw.Kill()
	s.cp.MustApply(t, s.ns, ingress("missed", "missed."+s.host, "/", "web"))
	s.gw.Run()
	eventually.Nil(t, time.Minute, func() error {
		a, err := get(s.gw.HTTP, s.host, "/")
		if err == nil && a.status != http.StatusOK {
			t.Fatalf("the restarted gateway answers %d %s", a.status, a.body)
		}
		return err
	})
	traffic := startLoad(t, s.gw.HTTP, s.host)
	wantStatus(t, s.gw.HTTP, "missed."+s.host, "/", http.StatusOK)
	s.gw.WaitReady()
	s.takesChanges(t, "after")
	traffic.Stop(t)
}

// The API server is killed. Traffic goes on, and kube-sync stays ready, also if it is
// restarted meanwhile. It follows the cluster once the API server is back.
func TestAPIServerKilled(t *testing.T) {
	lab.Require(t)
	cp := lab.StartControlPlane(t)
	cp.Kubelet(t)
	cp.MustApply(t, "", ingressClass)
	s := startServing(t, cp)
	if err := cp.KillComponent(t.Context(), "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	s.traffic.Answered(t, 100)
	if err := s.gw.Ready(); err != nil {
		t.Errorf("without an API server: %v", err)
	}
	kill(t, s.gw.KubeSyncs()[0])
	s.traffic.Answered(t, 200)
	if err := cp.StartComponent(t.Context(), "kube-apiserver"); err != nil {
		t.Fatal(err)
	}
	s.takesChanges(t, "after")
	s.traffic.Stop(t)
}

// Kong gets another configuration, as if it had lost its own. The right one is restored at
// once.
func TestConfigurationLost(t *testing.T) {
	s := startServing(t, cluster(t))
	s.traffic.Stop(t)
	answer, err := s.gw.Admin().Post("http://kong/config?check_hash=1", "text/yaml",
		strings.NewReader(`{"_format_version":"3.0","upstreams":[{"name":"other"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusCreated {
		t.Fatalf("POST /config answers %s: %s", answer.Status, body)
	}
	lost := time.Now()
	wantStatus(t, s.gw.HTTP, s.host, "/", http.StatusOK)
	t.Logf("the configuration was back after %s", time.Since(lost).Round(time.Millisecond))
	s.takesChanges(t, "after")
}

// A reload of Kong starts a second kube-sync beside the old one. No request fails, one of
// the two remains, and it follows the cluster.
func TestKongReloaded(t *testing.T) {
	s := startServing(t, cluster(t))
	s.gw.NeedKong()
	before := s.gw.KubeSyncs()
	s.gw.Reload()
	eventually.Nil(t, time.Minute, func() error {
		if now := s.gw.KubeSyncs(); len(now) == 0 || now[len(now)-1] == before[0] {
			return fmt.Errorf("kube-syncs %v, want a new one", now)
		}
		return nil
	})
	s.takesChanges(t, "during")
	eventually.Nil(t, time.Minute, func() error {
		if now := s.gw.KubeSyncs(); len(now) != 1 || now[0] == before[0] {
			return fmt.Errorf("kube-syncs %v, want the new one alone", now)
		}
		return nil
	})
	s.takesChanges(t, "after")
	s.traffic.Stop(t)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if pid <= 0 {
		t.Fatalf("no process to kill: %d", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
