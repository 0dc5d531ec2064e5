package adminapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSoftware(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		body    string
		server  string
		version string
		refused bool
		says    []string // one a warning
	}{
		"current":         {status: 200, body: `{"version":"3.9.4"}`, version: "3.9.4"},
		"later":           {status: 200, body: `{"version":"3.10.0"}`, version: "3.10.0"},
		"3.9.3":           {status: 200, body: `{"version":"3.9.3"}`, version: "3.9.3", says: []string{"CVE-2026-6338"}},
		"3.9.2":           {status: 200, body: `{"version":"3.9.2"}`, version: "3.9.2", says: []string{"CVE-2026-49975"}},
		"3.9.1":           {status: 200, body: `{"version":"3.9.1"}`, version: "3.9.1", refused: true, says: []string{"is not supported"}},
		"3.8.1":           {status: 200, body: `{"version":"3.8.1"}`, version: "3.8.1", refused: true, says: []string{"is not supported"}},
		"another build":   {status: 200, body: `{"version":"3.9.3.1-custom"}`, version: "3.9.3.1-custom", says: []string{"Kong 3.9.3 has"}},
		"not examining":   {status: 200, body: `{"version":"3.9.4","problem":"no function x"}`, version: "3.9.4", says: []string{"no function x"}},
		"no plugin":       {status: 404, body: `{"message":"Not found"}`, server: "kong/3.9.3", version: "3.9.3", says: []string{"Kong 3.9.3 has", "is not enabled"}},
		"old, no plugin":  {status: 404, body: `{}`, server: "kong/3.9.0", version: "3.9.0", refused: true, says: []string{"Kong 3.9.0 has", "is not enabled"}},
		"nothing is said": {status: 404, body: `{}`, says: []string{"does not say", "is not enabled"}},
	} {
		t.Run(name, func(t *testing.T) {
			admin, err := NewClient(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Server", c.server)
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			})), 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			got, err := admin.Software(t.Context())
			if err != nil || got.Version != c.version || got.Refused() != c.refused {
				t.Errorf("%+v, refused %v, error %v", got, got.Refused(), err)
			}
			warnings := got.Warnings()
			if len(warnings) != len(c.says) {
				t.Fatalf("warnings: %q", warnings)
			}
			for i, want := range c.says {
				if !strings.Contains(warnings[i], want) {
					t.Errorf("%q does not say %q", warnings[i], want)
				}
			}
		})
	}
}
