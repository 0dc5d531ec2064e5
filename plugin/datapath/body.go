package datapath

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// body is a request body that several attempts read one after the other. The client is read only as
// fast as the current attempt reads. What was read is kept up to a limit, as long as the namespace
// has memory left.
type body struct {
	source    io.Reader
	limit     int
	memory    *quota
	namespace string
	// whole is called once the whole body was read and kept.
	whole func([]byte)

	reading sync.Mutex // held while reading from the client

	mu    sync.Mutex
	kept  []byte
	read  int   // bytes read from source
	over  bool  // more was read than may be kept
	end   error // the error that source ended with
	users int   // copies that use kept
	done  bool  // the exchange is over
}

// replayable reports whether another attempt could send the whole body.
func (b *body) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.over
}

// newView returns a reader from the start. Earlier views have to be closed.
func (b *body) newView() io.ReadCloser { return &view{body: b} }

type view struct {
	body   *body
	at     int
	closed atomic.Bool
}

var (
	errViewClosed = errors.New("the attempt that read the body is over")
	errNotKept    = errors.New("the body was not kept for another attempt")
)

// Close implements [io.Closer]. It may be called while Read waits.
func (v *view) Close() error {
	v.closed.Store(true)
	return nil
}

// Read implements [io.Reader].
func (v *view) Read(p []byte) (int, error) {
	if n, err := v.readKept(p); n > 0 || err != nil || len(p) == 0 {
		return n, err
	}
	b := v.body
	b.reading.Lock()
	defer b.reading.Unlock()
	// Another view, closed by now, may have read meanwhile.
	if n, err := v.readKept(p); n > 0 || err != nil {
		return n, err
	}
	n, err := b.source.Read(p)
	b.keep(p[:n], err)
	v.at += n
	return n, err
}

// readKept reads what any view has read before.
func (v *view) readKept(p []byte) (int, error) {
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
	case v.at < b.read: // another view has read it
		return 0, errNotKept
	}
	return 0, b.end
}

// keep stores what was read. What exceeds the limit is stored one more time, for a view that
// started before the limit was exceeded.
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
	b.users++
	b.mu.Unlock()
	b.whole(kept)
	b.release()
}

// acquire keeps the memory of the body until release.
func (b *body) acquire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users++
}

func (b *body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users--
	b.free()
}

// finish ends the use of the body by the exchange.
func (b *body) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.over = true, true // nothing more is kept
	b.free()
}

// free returns the memory if it is no longer used. The caller holds the lock.
func (b *body) free() {
	if b.done && b.users == 0 {
		b.memory.release(b.namespace, int64(len(b.kept)))
		b.kept = nil
	}
}
