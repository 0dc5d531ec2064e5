package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/plugin/gateway/adminapi"
	"github.com/kube-sync/kube-sync/plugin/serve"
)

// A Kong that any client can exploit is not configured. One with lesser vulnerabilities is
// configured with a warning.
func TestCheckVersion(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		allowed bool
		refused bool
		warned  bool
	}{
		"current":              {version: "3.9.4"},
		"with a known fault":   {version: "3.9.3", warned: true},
		"too old":              {version: "3.9.1", refused: true},
		"too old, but allowed": {version: "3.9.1", allowed: true, warned: true},
	} {
		t.Run(name, func(t *testing.T) {
			kong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprintf(w, `{"version":%q}`, c.version)
			}))
			defer kong.Close()
			admin, err := adminapi.NewClient(kong.URL, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			err = checkVersion(t.Context(), admin, serve.New(serve.Options{}), c.allowed, slog.New(slog.NewTextHandler(&log, nil)))
			if (err != nil) != c.refused || c.refused && !strings.Contains(err.Error(), "ALLOW_VULNERABLE_KONG") {
				t.Errorf("error %v", err)
			}
			if warned := strings.Contains(log.String(), "level=WARN"); warned != c.warned {
				t.Errorf("the log: %s", log.String())
			}
		})
	}
}
