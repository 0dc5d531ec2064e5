package bench

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The pages of the results have what is generated from their data.
func TestPages(t *testing.T) {
	pages, err := Pages(*out)
	must(t, err)
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(*out, name))
		must(t, err)
		if string(got) != want {
			t.Errorf("%s differs from what is generated from its data: run make generate", name)
		}
	}
}

func TestQuantilesWereMeasured(t *testing.T) {
	var list []time.Duration
	for i := 100; i >= 1; i-- {
		list = append(list, time.Duration(i))
	}
	for n, want := range map[int]Quantiles{
		1: {100, 100, 100, 100}, 2: {99, 100, 100, 100}, 50: {75, 95, 100, 100}, 100: {50, 90, 99, 100},
	} {
		if got := quantiles(list[:n]); got != want {
			t.Errorf("of the %d highest of 100: %v, want %v", n, got, want)
		}
	}
	if got := quantiles(nil); got != (Quantiles{}) {
		t.Errorf("of none: %v", got)
	}
}

// A change is effective after some right answers in a row of each worker.
func TestEffectiveNeedsEachWorker(t *testing.T) {
	q := question{right: status(http.StatusOK), stale: status(http.StatusNotFound)}
	at := func(tr *tracker, milliseconds int, worker string, code int) {
		tr.take(0, answer{ended: tr.begun.Add(time.Duration(milliseconds) * time.Millisecond), worker: worker, status: code})
	}
	tr := newTracker([]question{q}, []string{"1", "2"})
	for i := range 4 {
		at(tr, 10+i, "1", http.StatusOK)
		at(tr, 20+i, "2", http.StatusNotFound)
	}
	if _, ok := tr.effective(); ok {
		t.Error("effective, although one worker answers otherwise")
	}
	at(tr, 30, "2", http.StatusOK)
	at(tr, 31, "2", http.StatusNotFound)
	at(tr, 32, "2", http.StatusBadGateway)
	for i := range 4 {
		if _, ok := tr.effective(); ok {
			t.Errorf("effective after %d right answers in a row", i)
		}
		at(tr, 40+i, "2", http.StatusOK)
	}
	got := tr.result()
	if got.First != 10*time.Millisecond || got.LastStale != 31*time.Millisecond || got.Effective != 40*time.Millisecond ||
		got.Unexpected != 1 || got.Never {
		t.Errorf("%+v", got)
	}
}

func TestSizes(t *testing.T) {
	if got, err := parseSizes("100, 1000"); err != nil || len(got) != 2 || got[1] != 1000 {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"", "x", "1", "100,50", "10001"} {
		if got, err := parseSizes(wrong); err == nil {
			t.Errorf("%q: %v", wrong, got)
		}
	}
}
