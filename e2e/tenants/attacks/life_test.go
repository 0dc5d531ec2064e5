package attacks

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// life is the victim's activity during an attack. It sends requests and changes its own objects until [life.end].
type life struct {
	w        *world
	stop     context.CancelFunc
	finished sync.WaitGroup

	mu       sync.Mutex
	sent     int
	failures []string
	letIn    []string
	changes  []time.Duration // how long each took to take effect, by [gateway.given]
	late     string          // the change that has not taken effect, if any
}

// pause is the pause between two rounds of requests, so that the gateway has processor time.
const pause = 50 * time.Millisecond

// worst bounds the time of the victim's changes, by [gateway.given].
const worst = 5 * time.Second

// answersWithin bounds the time until an answer. A gateway that hangs fails the test, and a busy
// machine does not.
const answersWithin = 3 * time.Minute

func (w *world) live() *life {
	ctx, stop := context.WithCancel(context.Background())
	l := &life{w: w, stop: stop}
	l.finished.Add(2)
	go l.sendRequests(ctx)
	go l.change(ctx)
	return l
}

// end waits until a change under way has taken effect, or is late.
func (l *life) end() {
	l.stop()
	l.finished.Wait()
}

// rounds returns the number of changes that have taken effect, or are late.
func (l *life) rounds() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late != "" {
		return 1 << 30
	}
	return len(l.changes)
}

func (l *life) sendRequests(ctx context.Context) {
	defer l.finished.Done()
	for ctx.Err() == nil {
		for _, r := range requests {
			failure, letIn := l.w.try(r)
			l.count(failure, letIn)
		}
		l.count(l.w.tryStream(), "")
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (l *life) count(failure, letIn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if failure != "" {
		l.failures = append(l.failures, failure)
	}
	if letIn != "" {
		l.letIn = append(l.letIn, letIn)
	}
}

// answer is an answer of the gateway, with the request that the backend received.
type answer struct {
	status  int
	header  http.Header
	body    string
	seen    seen
	subject string // of the gateway's certificate
}

// do sends a request without a body.
func (w *world) do(method, host, path string, secure bool, header map[string]string) (answer, error) {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	request, err := http.NewRequest(method, scheme+"://"+host+path, nil)
	if err != nil {
		return answer{}, err
	}
	return w.send(request, header)
}

// post sends a request with a body.
func (w *world) post(url, body string, header map[string]string) (answer, error) {
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	return w.send(request, header)
}

// send sends a request on a new connection, which may reach any worker.
func (w *world) send(request *http.Request, header map[string]string) (answer, error) {
	address := w.HTTP
	if request.URL.Scheme == "https" {
		address = w.HTTPS
	}
	client := http.Client{
		Timeout:       answersWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: request.URL.Hostname()},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		},
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if response.TLS != nil {
		a.subject = response.TLS.PeerCertificates[0].Subject.CommonName
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &a.seen) // what is not a backend's has no such fields
	}
	return a, err
}

// read returns the body of a GET.
func read(url string) (string, error) {
	client := http.Client{Timeout: answersWithin}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// try sends one of the victim's requests and says what is wrong with the answer.
func (w *world) try(r request) (failure, letIn string) {
	header := map[string]string{}
	if r.key != "" {
		header["apikey"] = r.key
	}
	a, err := w.do(http.MethodGet, r.host, r.path, r.tls, header)
	if err != nil {
		return fmt.Sprintf("%s: %v", r.name, err), ""
	}
	if r.status != http.StatusOK && a.status < 300 {
		return "", fmt.Sprintf("%s: %d from %s", r.name, a.status, a.seen.Served)
	}
	switch {
	case a.status != r.status:
		failure = fmt.Sprintf("%d, not %d: %.100s", a.status, r.status, a.body)
	case a.seen.Served != r.served:
		failure = fmt.Sprintf("served by %s, not %s", a.seen.Served, r.served)
	case r.header != "" && !has(a.seen.Headers, r.header):
		failure = fmt.Sprintf("the backend did not get %s: %v", r.header, a.seen.Headers)
	case r.answered != "" && !has(a.header, r.answered):
		failure = fmt.Sprintf("the answer has no %s: %v", r.answered, a.header)
	case r.tls && a.subject != r.host:
		failure = fmt.Sprintf("the certificate is that of %s", a.subject)
	}
	if failure != "" {
		failure = r.name + ": " + failure
	}
	return failure, ""
}

func has(header http.Header, field string) bool {
	name, value, _ := strings.Cut(field, ": ")
	return slices.Equal(header.Values(name), []string{value})
}

// tryStream sends a byte through the victim's TCPIngress, and expects an echo.
func (w *world) tryStream() (failure string) {
	connection, err := net.DialTimeout("tcp", gatewayIP+":"+streamPort, answersWithin)
	if err == nil {
		defer connection.Close()
		_ = connection.SetDeadline(time.Now().Add(answersWithin))
		one := []byte{1}
		if _, err = connection.Write(one); err == nil {
			_, err = io.ReadFull(connection, one)
		}
	}
	if err != nil {
		return fmt.Sprintf("stream: %v", err)
	}
	return ""
}

// change makes one change after the other, and measures the time of each.
func (l *life) change(ctx context.Context) {
	defer l.finished.Done()
	for ctx.Err() == nil {
		l.w.changes++
		n := l.w.changes
		begun := l.w.given()
		l.w.write(changing, changed(n))
		err := l.w.effective(n, begun+2*worst)
		l.mu.Lock()
		l.changes = append(l.changes, l.w.given()-begun)
		if err != nil {
			l.late = err.Error()
		}
		l.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// effective waits until a change has taken effect in all workers.
func (w *world) effective(n int, until time.Duration) error {
	const inARow = 6 // connections, of which each may reach another worker
	err := errors.New("not tried")
	for good := 0; good < inARow; {
		if w.given() > until {
			return fmt.Errorf("change %d has not taken effect: %w", n, err)
		}
		if err = w.hasChange(n); err == nil {
			good++
			continue
		}
		good = 0
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func (w *world) hasChange(n int) error {
	a, err := w.do(http.MethodGet, "changing.shop.test", fmt.Sprintf("/%d/", n), false, nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("the new path answers %d", a.status)
	}
	if a, err = w.do(http.MethodGet, "moving.shop.test", "/", false, nil); err != nil {
		return err
	}
	want := shopIP
	if n%2 == 1 {
		want = shopNextIP
	}
	if a.seen.Served != want {
		return fmt.Errorf("the new endpoint %s does not answer: %d from %s", want, a.status, a.seen.Served)
	}
	return nil
}
