package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// rightInARow is after how many answers as they should be a worker is believed.
	rightInARow = 4
	// askers is how many questions may be open: one worker that is busy is not to keep the others from being asked.
	askers = 4
)

// question is what a change alters the answer to.
type question struct {
	url string
	// right is an answer after the change, stale one before it. Any other is unexpected.
	right, stale func(answer) bool
	// once says that stale answers go on beside right ones: one right answer of a worker is all that there is to see.
	once bool
}

// change is something to measure.
type change struct {
	write     func(ctx context.Context) error
	questions []question // the first is the one of which the first right answer is reported
	// gone, if there is one, is told from when on nothing may reach what was removed.
	gone func(confirmed time.Time)
}

// Sample is what one change took.
type Sample struct {
	First, Effective, LastStale time.Duration
	Never                       bool     `json:",omitempty"` // not effective in time
	Unexpected                  int      `json:",omitempty"` // answers that are neither right nor stale
	Examples                    []string `json:",omitempty"` // of those
}

// asked is what a worker has answered to a question.
type asked struct {
	right int // in a row
	since time.Time
}

// tracker finds out from answers when a change is effective.
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

// take notes an answer.
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

// effective is when all workers had begun to answer as they should, if they have.
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

// numbered is an answer to one of the questions.
type numbered struct {
	question int
	answer
}

// follow makes a change and asks until it is effective.
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

// ask puts the questions in turn, until the context ends and all answers are there.
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
		// Not much more often than the answer would change by a hundredth.
		time.Sleep(min(max(time.Since(begun)/100, 2*time.Millisecond), 50*time.Millisecond))
	}
	open.Wait()
	close(answers)
}

func status(code int) func(answer) bool {
	return func(a answer) bool { return a.status == code }
}

// served is an answer of an endpoint.
func served(a answer) bool { return a.status == http.StatusOK && a.endpoint.IsValid() }
