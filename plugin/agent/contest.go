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
	contestRate  = 5
	contestBurst = 50
)

// contests tells operators, in the gateway's own log, which object has what another one
// lost. The loser's status and Events don't name an object of another namespace.
type contests struct {
	log   *slog.Logger
	limit *rate.Limiter
	lost  map[unit.Key][]unit.Verdict
	// unsaid is how many lines the limit has left out since the last one.
	unsaid int
}

func newContests(log *slog.Logger) *contests {
	return &contests{log: log, limit: rate.NewLimiter(contestRate, contestBurst), lost: map[unit.Key][]unit.Verdict{}}
}

// note logs what an object has lost since it was noted last.
func (c *contests) note(object unit.Key, verdicts []unit.Verdict) {
	var lost []unit.Verdict
	for _, v := range verdicts {
		if v.Holder == (unit.Key{}) {
			continue
		}
		lost = append(lost, v)
		if !slices.ContainsFunc(c.lost[object], v.Says) {
			c.say(object, v)
		}
	}
	if len(lost) > 0 {
		c.lost[object] = lost
	} else {
		delete(c.lost, object)
	}
}

func (c *contests) say(object unit.Key, v unit.Verdict) {
	if !c.limit.Allow() {
		c.unsaid++
		return
	}
	attributes := []any{"object", object.String(), "holder", v.Holder.String(), "reason", v.Reason, "message", v.Message}
	if c.unsaid > 0 {
		attributes = append(attributes, "contests_not_logged", c.unsaid)
		c.unsaid = 0
	}
	c.log.Info("An object lost what another one holds", attributes...)
}
