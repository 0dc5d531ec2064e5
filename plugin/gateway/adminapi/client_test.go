package adminapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-sync/kube-sync/translate/kong"
)

func TestLoad(t *testing.T) {
	const id = "21111111-1111-4111-8111-111111111111"
	tests := map[string]struct {
		status  int
		header  http.Header
		body    string
		want    error  // class
		says    string // part of the message
		refused []RefusedEntity
	}{
		"created":        {status: 201, body: strings.Repeat(`{"services":{}}`, 10000)},
		"there already":  {status: 304},
		"busy":           {status: 429, header: http.Header{"Retry-After": {"7"}}, body: `{"message":"Currently loading previous configuration"}`, want: ErrBusy, says: "Currently loading"},
		"exiting":        {status: 503, body: `{"message":"Kong currently exiting"}`, want: ErrBusy, says: "exiting"},
		"timeout":        {status: 504, body: `{"message":"Timed out while loading configuration"}`, want: ErrBusy},
		"internal error": {status: 500, body: `{"message":"An unexpected error occurred"}`, want: ErrFailed, says: "unexpected"},
		"body too large": {status: 413, body: "<html>413 Request Entity Too Large</html>", want: ErrTooLarge, says: "nginx_admin_client_max_body_size"},
		"map full":       {status: 413, body: `{"message":"Configuration does not fit in LMDB database, consider raising the \"lmdb_map_size\" config for Kong"}`, want: ErrTooLarge, says: "lmdb_map_size"},
		"buffered":       {status: 400, body: `{"message":"expected a declarative configuration"}`, want: ErrTooLarge, says: "nginx_admin_client_body_buffer_size"},
		"with database":  {status: 400, body: `{"message":"this endpoint is only available when Kong is configured to not use a database"}`, says: "database=off"},
		"denied":         {status: 403, body: "<html>403 Forbidden</html>", says: "nginx_admin_allow"},
		"another server": {status: 404, body: "<html>Not Found</html>", says: "status 404"},
		"garbage":        {status: 400, body: "\x00\xffgarbage", refused: []RefusedEntity{}},
		"not parsed": {
			status: 400, body: `{"code":14,"fields":{"error":"failed parsing"},"message":"declarative config is invalid: {error=\"failed parsing\"}"}`,
			refused: []RefusedEntity{{Type: "error", Messages: []string{"failed parsing"}}},
		},
		"rows": {
			status: 400,
			body: `{"code":14,"message":"declarative config is invalid: {}","fields":{},"flattened_errors":[
				{"entity_type":"route","entity_id":"` + id + `","entity_name":"r","entity_tags":["k8s-name:web"],"entity":{"a":[]},
				 "errors":[{"type":"field","field":"protocols","message":"unknown type: nope"},{"type":"entity","message":"x"}]},
				{"entity_type":"certificate","entity_id":"` + id + `","errors":[{"type":"field","field":"snis.1.certificate","message":"value must be null"}]}]}`,
			refused: []RefusedEntity{{
				Type: kong.Routes, ID: id, Name: "r", Tags: []string{"k8s-name:web"},
				Messages: []string{"protocols: unknown type: nope", "x"},
			}},
		},
		"only what is ignored elsewhere": {
			status: 400,
			body: `{"message":"m","flattened_errors":[{"entity_type":"certificate","entity_id":"` + id + `","entity_tags":{},
				"errors":[{"type":"field","field":"snis.1.certificate","message":"value must be null"}]}]}`,
			refused: []RefusedEntity{{Type: kong.Certificates, ID: id, Messages: []string{"snis.1.certificate: value must be null"}}},
		},
		"by name and id": {
			status: 400,
			body: `{"message":"m","fields":{"routes":{"r":["invalid reference 'service: x' (no such entry in 'services')"]},
				"targets":{"` + id + `":{"a":{"b":"c"}}},"plugins":[null,{"name":"no"}]},"flattened_errors":{}}`,
			refused: []RefusedEntity{
				{Type: kong.Plugins, Messages: []string{"name: no"}},
				{Type: kong.Routes, Name: "r", Messages: []string{"invalid reference 'service: x' (no such entry in 'services')"}},
				{Type: kong.Targets, ID: id, Messages: []string{"a.b: c"}},
			},
		},
		"secret": {
			status: 400,
			body: `{"message":"m {'uniqueness violation: 'keyauth_credentials' entity with key set to 'hush' already declared'}",
				"fields":{"keyauth_credentials":{"x":"uniqueness violation: 'keyauth_credentials' entity with key set to 'hush' already declared"}}}`,
			refused: []RefusedEntity{{Type: "keyauth_credentials", Name: "x", Messages: []string{
				"uniqueness violation: 'keyauth_credentials' entity with key set to '***' already declared",
			}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			admin, err := NewClient(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for key, values := range tt.header {
					w.Header()[key] = values
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			err = admin.Load(t.Context(), []byte(`{}`))
			if (err == nil) != (tt.status < 400) {
				t.Fatalf("status %d gave error %v", tt.status, err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v is not %v", err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hush")) {
				t.Errorf("error %q should say %q", err, tt.says)
			}
			refused, ok := errors.AsType[*RefusedError](err)
			if ok != (tt.refused != nil) {
				t.Fatalf("error %v, refused %v", err, ok)
			}
			if ok && len(refused.Entities)+len(tt.refused) > 0 {
				if diff := cmp.Diff(tt.refused, refused.Entities); diff != "" {
					t.Error(diff)
				}
			}
			if busy, ok := errors.AsType[*BusyError](err); ok && tt.status == 429 && busy.RetryAfter != 7*time.Second {
				t.Errorf("to be repeated after %v", busy.RetryAfter)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	dir := t.TempDir()
	slow := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the client leave
		<-r.Context().Done()
	}))
	silent, err := net.Listen("unix", filepath.Join(dir, "silent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	defer silent.Close()

	for name, tt := range map[string]struct {
		address string
		within  time.Duration
		load    error  // class
		says    string // part of the message
	}{
		"no socket":  {"unix:" + filepath.Join(dir, "none.sock"), time.Minute, ErrUnreachable, "none.sock"},
		"refused":    {"http://127.0.0.1:1", time.Minute, ErrUnreachable, "http://127.0.0.1:1"},
		"slow":       {slow, time.Second, ErrFailed, "no answer within 1s"},
		"hanging up": {"unix:" + silent.Addr().String(), time.Minute, ErrFailed, "the connection was lost"},
	} {
		t.Run(name, func(t *testing.T) {
			admin, err := NewClient(tt.address, tt.within)
			if err != nil {
				t.Fatal(err)
			}
			if err := admin.Load(t.Context(), []byte(`{}`)); !errors.Is(err, tt.load) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("load: %v", err)
			}
			if _, err := admin.Hash(t.Context()); !errors.Is(err, ErrUnreachable) {
				t.Errorf("hash: %v", err)
			}
		})
	}
	admin, _ := NewClient(slow, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := admin.Load(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestNewAdminAddress(t *testing.T) {
	for _, address := range []string{"", "unix:", "127.0.0.1:8001", "ftp://x", "http://"} {
		if _, err := NewClient(address, time.Second); err == nil {
			t.Errorf("address %q is taken", address)
		}
	}
}

func TestHashWithDatabase(t *testing.T) {
	admin, _ := NewClient(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"database":{"reachable":true}}`)
	})), time.Second)
	if _, err := admin.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), "database=off") {
		t.Errorf("error %v", err)
	}
}

// serve serves a handler and returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
