package translate_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The translation is pure: it imports API types, but nothing that does IO.
func TestTranslateDoesNoIO(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/kube-sync/kube-sync/"
	for dep := range strings.Lines(string(out)) {
		dep = strings.TrimSpace(dep)
		own := strings.HasPrefix(dep, module) && !strings.HasPrefix(dep, module+"translate")
		if own || strings.HasPrefix(dep, "k8s.io/client-go") || strings.HasPrefix(dep, "github.com/fsnotify") {
			t.Errorf("translate imports %s", dep)
		}
	}
}
