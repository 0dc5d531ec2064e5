package datapath

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// body is a request's, for several tries to read one after the other. The client is read
// as fast as the try under way reads, and not ahead of it; what was read is kept up to a
// limit, as long as the namespace has memory left for it.
type body struct {
	source    io.Reader
	limit     int
	memory    *quota
	namespace string
	// whole is called once all was read, if all of it is kept.
	whole func([]byte)

	reading sync.Mutex // held while the client is waited for

	mu      sync.Mutex
	kept    []byte
	read    int   // bytes of the source
	over    bool  // more was read than is kept
	end     error // what the source ended with
	holders int   // copies that use what is kept
	done    bool  // the exchange is over
}

// replayable reports whether another try could send all of it.
func (b *body) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.over
}

// view reads all from the start. Those before it have to be closed.
func (b *body) view() io.ReadCloser { return &view{body: b} }

type view struct {
	body   *body
	at     int
	closed atomic.Bool
}

var (
	errViewClosed = errors.New("the try that read the body is over")
	errNotKept    = errors.New("the body was not kept for another try")
)

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
	b := v.body
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case v.at < len(b.kept):
		n := copy(p, b.kept[v.at:])
		v.at += n
		return n, nil
	case v.at < b.read: // by a view that was closed meanwhile
		return 0, errNotKept
	}
	return 0, b.end
}

// keep notes what was read. What goes over the limit is kept once more, for a view that
// began before it was known to.
func (b *body) keep(p []byte, err error) {
	b.mu.Lock()
	b.read += len(p)
	b.end = err
	if !b.over {
		taken := b.memory.take(b.namespace, int64(len(p)))
		if taken {
			b.kept = append(b.kept, p...)
		}
		b.over = !taken || b.read > b.limit
	}
	if !errors.Is(err, io.EOF) || b.over || b.whole == nil {
		b.mu.Unlock()
		return
	}
	kept := b.kept
	b.holders++
	b.mu.Unlock()
	b.whole(kept)
	b.release()
}

// hold keeps what is kept in use until it is released.
func (b *body) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holders++
}

func (b *body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holders--
	b.free()
}

// finish is for when the exchange is over.
func (b *body) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.over = true, true // nothing more is kept
	b.free()
}

// free gives the memory back that nobody uses. The lock is held.
func (b *body) free() {
	if b.done && b.holders == 0 {
		b.memory.give(b.namespace, int64(len(b.kept)))
		b.kept = nil
	}
}
