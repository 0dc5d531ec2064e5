package datapath

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// body is a request's, for several tries to read one after the other. The client is read
// as fast as the try under way reads, and not ahead of it; what was read is kept up to a
// limit.
type body struct {
	source io.Reader
	limit  int
	// whole is called once all was read, if that is within the limit.
	whole func([]byte)

	reading sync.Mutex // held while the client is waited for

	mu   sync.Mutex
	kept []byte
	over bool  // more was read than is kept
	end  error // what the source ended with
}

// replayable tells whether another try could send all from the begin.
func (b *body) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.over
}

// view reads all from the begin. Those before it have to be closed.
func (b *body) view() io.ReadCloser { return &view{body: b} }

type view struct {
	body   *body
	at     int
	closed atomic.Bool
}

var errViewClosed = errors.New("the try that read the body is over")

// Close implements [io.Closer]. It may be called while Read waits.
func (v *view) Close() error {
	v.closed.Store(true)
	return nil
}

// Read implements [io.Reader].
func (v *view) Read(p []byte) (int, error) {
	if n, err := v.again(p); n > 0 || err != nil || len(p) == 0 {
		return n, err
	}
	b := v.body
	b.reading.Lock()
	defer b.reading.Unlock()
	// A view that is closed by now may have read on meanwhile.
	if n, err := v.again(p); n > 0 || err != nil {
		return n, err
	}
	n, err := b.source.Read(p)
	b.keep(p[:n], err)
	v.at += n
	return n, err
}

// again reads what was read before, by whichever view.
func (v *view) again(p []byte) (int, error) {
	if v.closed.Load() {
		return 0, errViewClosed
	}
	v.body.mu.Lock()
	defer v.body.mu.Unlock()
	if v.at < len(v.body.kept) {
		n := copy(p, v.body.kept[v.at:])
		v.at += n
		return n, nil
	}
	return 0, v.body.end
}

// keep notes what was read. What goes over the limit is kept once more, for a view that
// began before it was known to.
func (b *body) keep(p []byte, err error) {
	b.mu.Lock()
	if !b.over {
		b.kept = append(b.kept, p...)
	}
	b.over = b.over || len(b.kept) > b.limit
	b.end = err
	whole := err == io.EOF && !b.over && b.whole != nil
	b.mu.Unlock()
	if whole {
		b.whole(b.kept)
	}
}
