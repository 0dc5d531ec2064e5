package datapath

import "sync"

// quota is an amount that all rules share. The rules of one namespace may take half of it, so that
// no tenant uses up what the others need.
type quota struct {
	limit int64

	mu    sync.Mutex
	taken int64
	by    map[string]int64 // by namespace
}

func newQuota(limit int64) *quota { return &quota{limit: limit, by: map[string]int64{}} }

// take reserves n for a namespace, and reports whether enough was left.
func (q *quota) take(namespace string, n int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken+n > q.limit || q.by[namespace]+n > (q.limit+1)/2 {
		return false
	}
	q.taken += n
	q.by[namespace] += n
	return true
}

// amount returns how much is taken.
func (q *quota) amount() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken
}

// release returns what a namespace took.
func (q *quota) release(namespace string, n int64) {
	if n == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken -= n
	if q.by[namespace] -= n; q.by[namespace] == 0 {
		delete(q.by, namespace)
	}
}
