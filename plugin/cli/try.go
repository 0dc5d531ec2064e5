package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/explain"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// trial is the answer to a request that was sent.
type trial struct {
	Address string `json:"address"`
	Status  int    `json:"status"`
	// ByBackend is whether a backend answered, as far as Kong's headers say.
	ByBackend bool `json:"byBackend"`
	// Route is the name of Kong's route, if Kong may tell it.
	Route       string `json:"route,omitempty"`
	AsPredicted bool   `json:"asPredicted"`
	Why         string `json:"why,omitempty"`
}

func (t trial) String() string {
	by := "the gateway"
	if t.ByBackend {
		by = "a backend"
	}
	text := fmt.Sprintf("%d by %s, from %s: ", t.Status, by, t.Address)
	if t.AsPredicted {
		return text + "as predicted"
	}
	return text + "NOT as predicted: " + t.Why
}

// tryWithin bounds the time of a request that is tried.
const tryWithin = 30 * time.Second

// try sends a request and compares the answer with the prediction.
func try(q question, predicted explain.Answer, graph *unit.Graph) (trial, error) {
	address, err := q.addressOf(predicted, graph)
	if err != nil {
		return trial{}, err
	}
	r := q.request
	path, err := url.PathUnescape(r.Path)
	if err != nil {
		return trial{}, fmt.Errorf("--try: %w", err)
	}
	// With the raw path, it is sent as it is written.
	target := url.URL{Scheme: r.Scheme, Host: net.JoinHostPort(r.Host, strconv.Itoa(r.Port)), Path: path, RawPath: r.Path, RawQuery: r.Query}
	ctx, cancel := context.WithTimeout(context.Background(), tryWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), http.NoBody)
	if err != nil {
		return trial{}, err
	}
	request.URL, request.Header, request.Host = &target, r.Header.Clone(), r.Host
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true,
			// What is compared is the route. The certificate is part of the explanation.
			TLSClientConfig: &tls.Config{ServerName: r.SNI, InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
		},
	}
	answer, err := client.Do(request)
	if err != nil {
		return trial{}, fmt.Errorf("--try: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	tried := trial{Address: address, Status: answer.StatusCode, ByBackend: answer.Header.Get("X-Kong-Upstream-Latency") != "", Route: answer.Header.Get("Kong-Route-Name")}
	tried.Why = tried.differs(predicted)
	tried.AsPredicted = tried.Why == ""
	return tried, nil
}

// differs returns how the answer differs from a prediction; empty if it does not.
func (t trial) differs(predicted explain.Answer) string {
	switch possible := codes(predicted); {
	case t.Route != "" && (predicted.Route == nil || predicted.Route.Name != t.Route):
		return "the route is " + t.Route
	case predicted.Status != 0 && (t.Status != predicted.Status || t.ByBackend):
		return fmt.Sprintf("the gateway should answer %d itself", predicted.Status)
	case predicted.Status == 0 && !t.ByBackend && len(possible) == 0 && len(predicted.Unknown) <= 1 && t.Status != http.StatusBadGateway && t.Status != http.StatusGatewayTimeout:
		return "a backend should answer"
	}
	return ""
}

// codes are the statuses with which the gateway may answer itself.
func codes(predicted explain.Answer) (all []int) {
	for _, s := range predicted.Statuses {
		all = append(all, s.Code)
	}
	return all
}

// addressOf returns where to send a request: the given address, or that in the status of the
// listener's Gateway or of the route's Ingress.
func (q question) addressOf(predicted explain.Answer, graph *unit.Graph) (string, error) {
	if q.address != "" {
		return q.address, nil
	}
	host := ""
	if l := predicted.Listener; l != nil {
		if g, ok := graph.Object(l.Object.Key()).(*gatewayv1.Gateway); ok && len(g.Status.Addresses) > 0 {
			host = g.Status.Addresses[0].Value
		}
	}
	if r := predicted.Route; r != nil && host == "" {
		if i, ok := graph.Object(r.Object.Key()).(*networkingv1.Ingress); ok && len(i.Status.LoadBalancer.Ingress) > 0 {
			if host = i.Status.LoadBalancer.Ingress[0].IP; host == "" {
				host = i.Status.LoadBalancer.Ingress[0].Hostname
			}
		}
	}
	if host == "" {
		return "", errors.New("--try: no status has an address of the gateway; name one with --address")
	}
	return net.JoinHostPort(host, strconv.Itoa(q.request.Port)), nil
}
