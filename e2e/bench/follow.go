package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// rightInARow is the number of right answers in a row after which a worker counts as right.
	rightInARow = 4
	// askers is the number of questions that may be open, so that a busy worker does not hold up the others.
	askers = 4
)

// question is a request whose answer a change alters.
type question struct {
	url string
	// right reports whether an answer is as after the change, stale whether it is as before. Any other answer is
	// unexpected.
	right, stale func(answer) bool
	// once says that there are still stale answers after the change, so that one right answer of each worker is enough.
	once bool
}

// change is a change to measure.
type change struct {
	write     func(ctx context.Context) error
	questions []question // the first is the one of which the first right answer is reported
	// gone, unless it is nil, is called with the time after which no request may reach what was removed.
	gone func(confirmed time.Time)
}

// Sample has the times of one change.
type Sample struct {
	First, Effective, LastStale time.Duration
	Never                       bool     `json:",omitempty"` // not effective in time
	Unexpected                  int      `json:",omitempty"` // answers that are neither right nor stale
	Examples                    []string `json:",omitempty"` // of those
}

// asked has a worker's answers to a question.
type asked struct {
	right int // in a row
	since time.Time
}

// tracker finds out from answers when a change takes effect.
type tracker struct {
	begun     time.Time
	questions []question
	workers   map[string][]asked
	first     time.Time
	lastStale time.Time
	sample    Sample
}

func newTracker(questions []question, workers []string) *tracker {
	t := &tracker{begun: time.Now(), questions: questions, workers: map[string][]asked{}}
	for _, w := range workers {
		t.workers[w] = make([]asked, len(questions))
	}
	return t
}

// take records an answer.
func (t *tracker) take(q int, a answer) {
	question := t.questions[q]
	seen, known := t.workers[a.worker]
	switch {
	case a.err != nil:
		t.unexpected(a.err.Error())
	case !known:
		t.unexpected(fmt.Sprintf("%d of an unknown worker %q: %.100s", a.status, a.worker, a.body))
	case question.right(a):
		if seen[q].right++; seen[q].right == 1 {
			seen[q].since = a.ended
		}
		if q == 0 && t.first.IsZero() {
			t.first = a.ended
		}
	default:
		if !question.once {
			seen[q].right = 0
		}
		if !question.stale(a) {
			t.unexpected(fmt.Sprintf("%d %.100s", a.status, a.body))
		} else if a.ended.After(t.lastStale) {
			t.lastStale = a.ended
		}
	}
}

func (t *tracker) unexpected(what string) {
	const enough = 3
	if t.sample.Unexpected++; len(t.sample.Examples) < enough {
		t.sample.Examples = append(t.sample.Examples, what)
	}
}

// effective returns the time since which all workers answer right, if they do.
func (t *tracker) effective() (at time.Time, ok bool) {
	for _, seen := range t.workers {
		for q, s := range seen {
			want := rightInARow
			if t.questions[q].once {
				want = 1
			}
			if s.right < want {
				return at, false
			}
			if s.since.After(at) {
				at = s.since
			}
		}
	}
	return at, true
}

func (t *tracker) result() Sample {
	s := t.sample
	if !t.first.IsZero() {
		s.First = t.first.Sub(t.begun)
	}
	if !t.lastStale.IsZero() {
		s.LastStale = t.lastStale.Sub(t.begun)
	}
	at, ok := t.effective()
	if s.Never = !ok; ok {
		s.Effective = at.Sub(t.begun)
	}
	return s
}

// numbered is an answer with the number of its question.
type numbered struct {
	question int
	answer
}

// follow makes a change and sends requests until it has taken effect.
func follow(ctx context.Context, c *client, ch change, workers []string, within time.Duration) (Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	t := newTracker(ch.questions, workers)
	answers := make(chan numbered)
	asking, stop := context.WithCancel(ctx)
	go ask(asking, c, ch.questions, t.begun, answers)
	written := make(chan error, 1)
	go func() { written <- ch.write(ctx) }()

	var failed error
	for done := false; !done; {
		select {
		case failed = <-written:
			done = failed != nil
			written = nil
		case a := <-answers:
			t.take(a.question, a.answer)
			_, done = t.effective()
		case <-ctx.Done():
			done = true
		}
	}
	confirmed := time.Now()
	stop()
	for range answers { // those that were broken off say nothing
	}
	if failed == nil && written != nil {
		failed = <-written
	}
	result := t.result()
	if ch.gone != nil && !result.Never {
		ch.gone(confirmed)
	}
	return result, failed
}

// ask asks the questions in turn until the context ends, and waits for all answers.
func ask(ctx context.Context, c *client, questions []question, begun time.Time, answers chan<- numbered) {
	var open sync.WaitGroup
	free := make(chan struct{}, askers)
	for n := 0; ctx.Err() == nil; n++ {
		free <- struct{}{}
		open.Go(func() {
			defer func() { <-free }()
			q := n % len(questions)
			a := c.ask(ctx, questions[q].url)
			if ctx.Err() == nil {
				answers <- numbered{q, a}
			}
		})
		// The interval is about 1 % of the time so far.
		time.Sleep(min(max(time.Since(begun)/100, 2*time.Millisecond), 50*time.Millisecond))
	}
	open.Wait()
	close(answers)
}

func status(code int) func(answer) bool {
	return func(a answer) bool { return a.status == code }
}

// served reports whether an endpoint has answered.
func served(a answer) bool { return a.status == http.StatusOK && a.endpoint.IsValid() }
