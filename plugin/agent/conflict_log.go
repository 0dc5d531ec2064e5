package agent

import (
	"log/slog"
	"slices"

	"golang.org/x/time/rate"

	"github.com/kube-sync/kube-sync/translate/unit"
)

// contestRate and contestBurst bound the lines a second about contests: a tenant may lose
// thousands on purpose.
const (
	// conflictRate and conflictBurst limit the log lines per second: a tenant may lose thousands of
	// conflicts on purpose.
	conflictRate  = 5
	conflictBurst = 50
)

// conflictLog tells operators, in the gateway's log, which object holds what another one lost. The
// status and the Events of the loser do not name an object of another namespace.
type conflictLog struct {
	log   *slog.Logger
	limit *rate.Limiter
	lost  map[unit.Key][]unit.Verdict
	// suppressed is the number of lines that the limit has dropped since the last one.
	suppressed int
}

func newConflictLog(log *slog.Logger) *conflictLog {
	return &conflictLog{log: log, limit: rate.NewLimiter(conflictRate, conflictBurst), lost: map[unit.Key][]unit.Verdict{}}
}

// note logs what an object has lost since the last call.
func (c *conflictLog) note(object unit.Key, verdicts []unit.Verdict) {
	var lost []unit.Verdict
	for _, v := range verdicts {
		if v.Holder == (unit.Key{}) {
			continue
		}
		lost = append(lost, v)
		if !slices.ContainsFunc(c.lost[object], v.Says) {
			c.write(object, v)
		}
	}
	if len(lost) > 0 {
		c.lost[object] = lost
	} else {
		delete(c.lost, object)
	}
}

func (c *conflictLog) write(object unit.Key, v unit.Verdict) {
	if !c.limit.Allow() {
		c.suppressed++
		return
	}
	attributes := []any{"object", object.String(), "holder", v.Holder.String(), "reason", v.Reason, "message", v.Message}
	if c.suppressed > 0 {
		attributes = append(attributes, "conflicts_not_logged", c.suppressed)
		c.suppressed = 0
	}
	c.log.Info("An object lost what another one holds", attributes...)
}
