package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

// What Lua does of Gateway API, by the names that the conformance tests have.
func TestGatewayFilters(t *testing.T) {
	cp, gw := gatewayAPI(t)
	t.Run("HTTPRouteRequestHeaderModifierBackendWeights", func(t *testing.T) { testBackendFilters(t, cp, gw) })
}

// A request gets what the filters of the backend say that it is sent to, and no other's.
func testBackendFilters(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	backend := func(name string, weight int) string {
		return fmt.Sprintf(`
    - name: %[1]s
      port: 80
      weight: %[2]d
      filters:
      - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Backend, value: %[1]s}, {name: Both, value: backend}]}}
      - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Backend, value: %[1]s}]}}`, name, weight)
	}
	cp.MustApply(t, ns, plainGateway+deployment("one", 1)+deployment("two", 2)+httpRoute("weights", `
  hostnames: [`+host+`]
  rules:
  - filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Rule, value: rule}, {name: Both, value: rule}]}}
    backendRefs:`+backend("one", 3)+backend("two", 1)+`
  - matches: [{path: {value: /gone}}]
    backendRefs: [{name: gone, port: 80}, {name: gone, port: 80, filters: [{type: URLRewrite, urlRewrite: {hostname: other.example}}]}]
`))
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	ready(t, cp, ns, 3)
	time.Sleep(time.Second) // for the last endpoint to be in all workers
	const n = 400
	shares := map[string]int{}
	for range n {
		e, err := askGateway(gw, "GET", host, "/")
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(e.Pod, "-")
		shares[name]++
		got := fmt.Sprint(e.StatusCode, e.Headers["Backend"], e.Headers["Rule"], e.Headers["Both"], e.Header["X-Backend"])
		if want := fmt.Sprintf("200 [%[1]s] [rule] [backend] [%[1]s]", name); got != want {
			t.Fatalf("%s has %s, want %s", e.Pod, got, want)
		}
	}
	t.Logf("of %d requests: %v", n, shares)
	// Six standard deviations of a draw with three of four.
	if one := shares["one"]; one < 248 || one > 352 {
		t.Errorf("a backend with 3 of 4 got %d of %d requests", one, n)
	}
	wantStatus(t, gw.HTTP, host, "/gone", http.StatusInternalServerError)
}
