package tenants

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/translate"
)

// Two namespaces log to one collector, each with its own account. While the collector is down the entries wait, and then
// each is sent with the headers of its own namespace. Kong alone has one queue for both, and sends it with the headers
// of the last entry.
func TestLogsGoToTheirOwnAccounts(t *testing.T) {
	type entry struct{ of, account string }
	entries := make(chan entry, 1000)
	var up atomic.Bool
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		for _, namespace := range []string{"shop", "attacker"} {
			if strings.Contains(string(body), `"host":"`+namespace+".example") {
				entries <- entry{namespace, r.Header.Get("x-account")}
			}
		}
	}))
	t.Cleanup(collector.Close)
	s := newScene(t, translate.Options{})
	for _, namespace := range []string{"shop", "attacker"} {
		s.apply(s.web(namespace, "web", namespace+".example", "konghq.com/plugins: log") +
			plugin(namespace, "log", "http-log", "{http_endpoint: '"+collector.URL+"', headers: {x-account: "+namespace+"}}"))
	}
	s.want(request{host: "shop.example"}, http.StatusOK)
	s.want(request{host: "attacker.example"}, http.StatusOK)
	time.Sleep(200 * time.Millisecond)
	up.Store(true)
	count := map[string]int{}
	for deadline := time.After(3 * time.Minute); count["shop"] < 8 || count["attacker"] < 8; {
		select {
		case e := <-entries:
			if e.of != e.account {
				t.Fatalf("an entry of %s goes to the account of %s", e.of, e.account)
			}
			count[e.of]++
		case <-deadline:
			t.Fatalf("of 8 entries of each namespace there are %v", count)
		}
	}
}
