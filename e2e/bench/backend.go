package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kube-sync/kube-sync/e2e/lab"
)

// The uses of the lab's range of local addresses.
const (
	perRoute   = 5
	mostRoutes = 10000
	podsFrom   = 51200 // addresses from here on are those of pods that come and go
	podsTo     = 250<<8 - 1
	clientsAt  = 250 << 8 // a block of 256 that questions come from
	loadAt     = 251 << 8 // and one of the load's requests
	kongAt     = 255<<8 + 1
)

const backendPort = 8080

// address returns an address in the lab's range.
func address(number int) netip.Addr {
	base := lab.GatewayCIDR.Addr().As4()
	base[2], base[3] = byte(number>>8), byte(number)
	return netip.AddrFrom4(base)
}

// endpoint returns one of the addresses behind a route.
func endpoint(route, i int) netip.Addr { return address(route*perRoute + i) }

// backend answers for all endpoints, with the address that received the request.
type backend struct {
	last [1 << 16]atomic.Int64 // when an address was last asked, in nanoseconds since 1970
}

type localKey struct{}

func startBackend(t testing.TB) *backend {
	t.Helper()
	// One socket accepts connections to all local addresses, and the whole range is local.
	listener, err := net.Listen("tcp4", net.JoinHostPort("0.0.0.0", strconv.Itoa(backendPort)))
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{}
	server := &http.Server{
		Handler: http.HandlerFunc(b.answer),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, localKey{}, c.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap())
		},
		Protocols: new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return b
}

func (b *backend) answer(w http.ResponseWriter, r *http.Request) {
	asked := r.Context().Value(localKey{}).(netip.Addr)
	b.last[number(asked)].Store(time.Now().UnixNano())
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, asked)
}

func number(a netip.Addr) int {
	bytes := a.As4()
	return int(bytes[2])<<8 | int(bytes[3])
}

// askedSince returns for how long after a time the address still received requests.
func (b *backend) askedSince(a netip.Addr, at time.Time) time.Duration {
	return max(0, time.Duration(b.last[number(a)].Load()-at.UnixNano()))
}
