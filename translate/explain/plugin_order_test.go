package explain

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var priority = regexp.MustCompile(`PRIORITY\s*=\s*(-?\d+)`)

// The priorities are those of the plugins' handlers: of this project's, and of Kong's where it is
// installed.
func TestPriorities(t *testing.T) {
	dirs := []string{"../../kong-conf/lua/kong/plugins"}
	if installed, err := filepath.Glob("/usr/local/share/lua/5.1/kong/plugins"); err == nil {
		dirs = append(dirs, installed...)
	}
	found := 0
	for _, dir := range dirs {
		handlers, err := filepath.Glob(filepath.Join(dir, "*", "handler.lua"))
		if err != nil {
			t.Fatal(err)
		}
		for _, handler := range handlers {
			source, err := os.ReadFile(handler)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(filepath.Dir(handler))
			m := priority.FindSubmatch(source)
			if m == nil {
				continue // pre-function and post-function, whose handlers are made
			}
			found++
			want, _ := strconv.Atoi(string(m[1]))
			if got, ok := priorities[name]; !ok || got != want {
				t.Errorf("the priority of %s is %d, not %d", name, want, got)
			}
		}
	}
	if found < 9 {
		t.Errorf("only %d handlers are there", found)
	}
	for name := range priorities {
		if strings.HasPrefix(name, "kube-sync-") {
			if _, err := os.Stat(filepath.Join(dirs[0], name, "handler.lua")); err != nil {
				t.Errorf("there is no plugin %s", name)
			}
		}
	}
}
