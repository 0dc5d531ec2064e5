package adminapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStateOfWorkersAndStorage(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   State
	}{
		"all current": {`{"hash":"b","ready":true,"workers":2,"effective":{"http":["b","b"],"stream":["b","b"]},"busy":[],"starts":2,"storage":{"size":100,"used":40}}`,
			State{Hash: "b", Effective: true, Companion: true, Busy: []Worker{}, Workers: 2, Starts: 2, Storage: Storage{100, 40}}},
		"one behind in both subsystems": {`{"hash":"b","ready":false,"workers":2,"effective":{"http":["a","b"],"stream":["a","b"]},"busy":[],"starts":3}`,
			State{Hash: "b", Companion: true, Busy: []Worker{}, Workers: 2, Behind: 1, Starts: 3}},
		"one behind in each subsystem": {`{"hash":"b","ready":false,"workers":2,"effective":{"http":["","b"],"stream":["b","a"]},"busy":[{"pid":7,"seconds":1.5}],"starts":2}`,
			State{Hash: "b", Companion: true, Busy: []Worker{{7, 1.5}}, Workers: 2, Behind: 2, Starts: 2}},
		"without streams": {`{"hash":"b","ready":true,"workers":1,"effective":{"http":["b"],"stream":[]},"busy":[]}`,
			State{Hash: "b", Effective: true, Companion: true, Busy: []Worker{}, Workers: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			kong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.answer)) }))
			defer kong.Close()
			admin, err := NewClient(kong.URL, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			got, err := admin.State(t.Context())
			got.Hashes = nil // compared by their number
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}
