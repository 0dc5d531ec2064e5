package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Modules whose definitions of kinds tests install, and where those are in them. Of Gateway API they are those of the
// experimental channel, which has all of it, without the policy that guards them.
const (
	GatewayAPI            = "sigs.k8s.io/gateway-api"
	GatewayAPIDefinitions = "config/crd/experimental/gateway.networking.k8s.io_[^v]*.yaml"
	Kong                  = "github.com/kong/kubernetes-configuration"
	KongDefinitions       = "config/crd/ingress-controller*/*.konghq.com_*.yaml"
)

// MustApplyModule applies the manifests of a Go module that match a pattern, of the version that is built with.
func (cp *ControlPlane) MustApplyModule(t testing.TB, module, pattern string) {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("module %s has no %s: %v", module, pattern, err)
	}
	for _, file := range files {
		manifest, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "", string(manifest))
	}
}
