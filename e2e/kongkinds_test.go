package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// kongKinds has the cluster serve Kong's published kinds.
func kongKinds(t *testing.T, cp *lab.ControlPlane) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/kong/kubernetes-configuration").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "config/crd/ingress-controller*/*.konghq.com_*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions of Kong's kinds: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "", string(raw))
	}
}
