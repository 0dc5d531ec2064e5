package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/kube-sync/kube-sync/e2e/gomodule"
)

// Modules whose CustomResourceDefinitions tests install, and the paths of those. Of Gateway API they are the experimental
// channel, which has all kinds, without the policy that guards them.
const (
	GatewayAPI            = "sigs.k8s.io/gateway-api"
	GatewayAPIDefinitions = "config/crd/experimental/gateway.networking.k8s.io_[^v]*.yaml"
	// Up to Gateway API 1.4, ListenerSets are in another group.
	XListenerSetDefinition = "config/crd/experimental/gateway.networking.x-k8s.io_xlistenersets.yaml"
	Kong                   = "github.com/kong/kubernetes-configuration"
	KongDefinitions        = "config/crd/ingress-controller*/*.konghq.com_*.yaml"
)

// needed are the modules that NeedModule was called for.
var needed []string

// NeedModule makes Main download a version of a module that is not the one in go.mod, because inside the namespaces there
// is no network. Call it before Main.
func NeedModule(module, version string) { needed = append(needed, module+"@"+version) }

// downloaded returns the directories of the needed modules.
func downloaded() (map[string]string, error) {
	dirs := map[string]string{}
	for _, module := range needed {
		// Outside any module, so that go.sum does not change.
		out, err := output(os.TempDir(), "go", "mod", "download", "-json", module)
		if err != nil {
			return nil, fmt.Errorf("download module %s: %w", module, err)
		}
		var told struct{ Dir string }
		if err := json.Unmarshal([]byte(out), &told); err != nil || told.Dir == "" {
			return nil, fmt.Errorf("download module %s: no directory in %q: %w", module, out, err)
		}
		dirs[module] = told.Dir
	}
	return dirs, nil
}

// ModuleVersion returns the directory of a version of a module, for which NeedModule was called.
func ModuleVersion(t testing.TB, module, version string) string {
	t.Helper()
	Require(t)
	if External() {
		Skip(t, "needs a module that is not downloaded")
	}
	dir, ok := state.setup.Modules[module+"@"+version]
	if !ok {
		t.Fatalf("lab: NeedModule was not called for %s@%s", module, version)
	}
	return dir
}

// MustApplyModuleVersion applies the manifests of a Go module that match a pattern, in a version for which NeedModule was
// called.
func (cp *ControlPlane) MustApplyModuleVersion(t testing.TB, module, version, pattern string) {
	t.Helper()
	files, err := gomodule.Glob(ModuleVersion(t, module, version), pattern)
	cp.mustApplyFiles(t, files, err)
}

// MustApplyModule applies the manifests of a Go module that match a pattern, in the version of go.mod.
func (cp *ControlPlane) MustApplyModule(t testing.TB, module, pattern string) {
	t.Helper()
	files, err := gomodule.Files(module, pattern)
	cp.mustApplyFiles(t, files, err)
}

func (cp *ControlPlane) mustApplyFiles(t testing.TB, files []string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		manifest, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cp.MustApply(t, "", string(manifest))
	}
}
