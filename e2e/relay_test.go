package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-sync/kube-sync/e2e/eventually"
	"github.com/kube-sync/kube-sync/e2e/lab"
	"github.com/kube-sync/kube-sync/e2e/pod"
)

func TestRelay(t *testing.T) {
	cp, gw := gatewayAPI(t)
	t.Run("Mirrors", func(t *testing.T) { testMirrors(t, cp, gw) })
	t.Run("Retries", func(t *testing.T) { testRetries(t, cp, gw) })
	t.Run("Sessions", func(t *testing.T) { testSessions(t, cp, gw) })
	t.Run("WithoutKubeSync", func(t *testing.T) { testWithoutKubeSync(t, cp, gw) })
}

// logged returns the number of lines with a text in the logs of an app's pods.
func logged(t *testing.T, cp *lab.ControlPlane, ns, app, text string) (n int) {
	t.Helper()
	pods, err := cp.Client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods.Items {
		log, err := cp.Client.CoreV1().Pods(ns).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(log), text)
	}
	return n
}

// A mirror receives the same request as the backend. Neither receives headers of the relay.
func testMirrors(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+deployment("shadow", 1)+httpRoute("mirror", `
  hostnames: [`+host+`]
  rules:
  - filters:
    - {type: RequestMirror, requestMirror: {backendRef: {name: shadow, port: 80}}}
    - {type: URLRewrite, urlRewrite: {hostname: rewritten.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /to}}}
    matches: [{path: {value: /from}}]
    backendRefs: [{name: web, port: 80}]
`))
	ready(t, cp, ns, 2)
	wantStatus(t, gw.HTTP, host, "/from", http.StatusOK)
	e, err := askGateway(gw, "GET", host, "/from/a%20b?c=d", "Via", "1.1 forged")
	if err != nil || e.StatusCode != 200 || !strings.HasPrefix(e.Pod, "web-") {
		t.Fatalf("%+v, %v", e, err)
	}
	if got := e.Host + " " + e.Path + " " + e.Query; got != "rewritten.example /to/a%20b c=d" {
		t.Errorf("the backend sees %s", got)
	}
	if got := strings.Split(e.Headers.Get("Via"), ", "); len(got) != 2 || got[0] != "1.1 forged" || !strings.HasPrefix(got[1], "1.1 kong/") {
		t.Errorf("the backend sees how the relay was told of the rule: Via: %s", got)
	}
	if got := e.Headers.Get("X-Forwarded-For"); got != "127.0.0.1" {
		t.Errorf("the backend sees the client %s", got)
	}
	eventually.Nil(t, time.Minute, func() error {
		if n := logged(t, cp, ns, "shadow", `path="/to/a%20b" host=rewritten.example`) + logged(t, cp, ns, "shadow", "path=/to/a%20b host=rewritten.example"); n != 1 {
			return fmt.Errorf("the mirror was sent %d copies", n)
		}
		return nil
	})
}

// metric returns a number of kube-sync's metrics.
func metric(t *testing.T, gw *pod.Pod, name string) (value float64) {
	t.Helper()
	answer, err := http.Get("http://" + gw.Metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			_, _ = fmt.Sscan(rest, &value)
		}
	}
	return value
}

// Failed tries are repeated as often as configured, within the time-out of the request.
func testRetries(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+httpRoute("retry", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{path: {value: /code}}], retry: {codes: [503], attempts: 3}, backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /slow}}], retry: {attempts: 2}, timeouts: {backendRequest: 200ms}, backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /budget}}], retry: {attempts: 100}, timeouts: {request: 1s, backendRequest: 300ms}, backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /refused}}], retry: {attempts: 2}, backendRefs: [{name: deaf, port: 80}]}
`))
	web := ready(t, cp, ns, 1)[0]
	p, err := cp.Client.CoreV1().Pods(ns).Get(t.Context(), web, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cp.MustApply(t, ns, deaf(p.Status.PodIP))
	const retries = "ingress_controller_relay_retries_total"
	wantStatus(t, gw.HTTP, host, "/code", http.StatusOK)
	wantStatus(t, gw.HTTP, host, "/refused", http.StatusBadGateway)
	for _, c := range []struct {
		path     string
		status   int
		atLeast  float64
		wantMost float64
	}{
		{"/code?status=503", 503, 3, 3},
		{"/code?status=500", 500, 0, 0},
		{"/slow?delay=1m", 504, 2, 2},
		{"/budget?delay=1m", 504, 1, 4},
		{"/refused", 502, 2, 2},
	} {
		before := metric(t, gw, retries)
		e, err := askGateway(gw, "GET", host, c.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := metric(t, gw, retries) - before; e.StatusCode != c.status || n < c.atLeast || n > c.wantMost {
			t.Errorf("%s is answered %d after %v further tries, want %d after %v to %v", c.path, e.StatusCode, n, c.status, c.atLeast, c.wantMost)
		}
	}
}

// deaf returns a Service at an address on which nothing listens.
func deaf(address string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: deaf}
spec: {clusterIP: None, ports: [{name: http, port: 80, targetPort: 9}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: deaf, labels: {kubernetes.io/service-name: deaf}}
addressType: IPv4
ports: [{name: http, port: 9}]
endpoints: [{addresses: [%s], conditions: {ready: true}}]
`, address)
}

// While kube-sync is gone, and until it has its state again, a route that needs it answers 503 with the reason. Other
// routes are not affected.
func testWithoutKubeSync(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("web", 1)+httpRoute("both", `
  hostnames: [`+host+`]
  rules:
  - {matches: [{path: {value: /relayed}}], retry: {}, backendRefs: [{name: web, port: 80}]}
  - {matches: [{path: {value: /plain}}], backendRefs: [{name: web, port: 80}]}
`))
	ready(t, cp, ns, 1)
	wantStatus(t, gw.HTTP, host, "/relayed", http.StatusOK)
	wantStatus(t, gw.HTTP, host, "/plain", http.StatusOK)

	stop := make(chan struct{})
	answers := map[string]map[string]int{"/relayed": {}, "/plain": {}}
	var all sync.WaitGroup
	for path, seen := range answers {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				seen[answerOf(gw, host, path)]++
			}
		})
	}
	old := gw.KubeSyncs()
	for _, pid := range old {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	eventually.Nil(t, time.Minute, func() error {
		if now := gw.KubeSyncs(); len(now) == 0 || now[len(now)-1] == old[len(old)-1] {
			return fmt.Errorf("Kong has not started kube-sync again: %v", now)
		}
		if got := answerOf(gw, host, "/relayed"); got != "200" {
			return fmt.Errorf("the relayed route answers %s", got)
		}
		return nil
	})
	close(stop)
	all.Wait()
	t.Logf("answers: %v", answers)
	const unavailable = `503 {"message":"the gateway is not ready for this route"}`
	if seen := answers["/relayed"]; seen[unavailable] == 0 || len(seen) != 2 || seen["200"] == 0 {
		t.Errorf("the relayed route answers %v", seen)
	}
	if seen := answers["/plain"]; len(seen) != 1 || seen["200"] == 0 {
		t.Errorf("the plain route answers %v", seen)
	}
}

// answerOf returns the status of an answer and, of a failure, the body.
func answerOf(gw *pod.Pod, host, path string) string {
	request, err := http.NewRequest("GET", "http://"+gw.HTTP+path, nil)
	if err != nil {
		return err.Error()
	}
	request.Host = host
	answer, err := client.Transport.RoundTrip(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	if answer.StatusCode == http.StatusOK {
		return "200"
	}
	return fmt.Sprint(answer.StatusCode, " ", string(body))
}

// A client's requests go to the pod of its first request, also when there are new pods, and to another one when it is
// gone.
func testSessions(t *testing.T, cp *lab.ControlPlane, gw *pod.Pod) {
	ns := cp.Namespace(t)
	host := ns + ".example"
	cp.MustApply(t, ns, plainGateway+deployment("web", 3)+httpRoute("sessions", `
  hostnames: [`+host+`]
  rules: [{sessionPersistence: {sessionName: sid}, backendRefs: [{name: web, port: 80}]}]
`))
	ready(t, cp, ns, 3)
	wantStatus(t, gw.HTTP, host, "/", http.StatusOK)
	first, err := askGateway(gw, "GET", host, "/")
	if err != nil || len(first.Cookies()) != 1 || first.Cookies()[0].Name != "sid" {
		t.Fatalf("the first answer is %+v, %v; want one cookie", first, err)
	}
	goesOn := func(with string) {
		t.Helper()
		for range 20 {
			e, err := askGateway(gw, "GET", host, "/", "Cookie", "sid="+first.Cookies()[0].Value)
			if err != nil || e.Pod != first.Pod || len(e.Cookies()) != 0 {
				t.Fatalf("%s the session of %s goes on at %s with cookies %s, %v", with, first.Pod, e.Pod, e.Cookies(), err)
			}
		}
	}
	goesOn("with three pods")
	cp.MustApply(t, ns, deployment("web", 5))
	ready(t, cp, ns, 5)
	goesOn("with five pods")
	if err := cp.Client.CoreV1().Pods(ns).Delete(t.Context(), first.Pod, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, time.Minute, func() error {
		e, err := askGateway(gw, "GET", host, "/", "Cookie", "sid="+first.Cookies()[0].Value)
		if err != nil {
			return err
		}
		if e.StatusCode != http.StatusOK || e.Pod == first.Pod || len(e.Cookies()) != 1 {
			return fmt.Errorf("%d by %s with cookies %s, want another pod and a new session", e.StatusCode, e.Pod, e.Cookies())
		}
		return nil
	})
}
