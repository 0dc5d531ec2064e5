package inspect

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// waitStep is the pause between two looks at the gateway.
const waitStep = 50 * time.Millisecond

// AwaitEffective returns nil once every worker uses everything that the cluster has at the time of
// the call, except for what is refused. The error says what is missing when the context ends.
func (i *Inspector) AwaitEffective(ctx context.Context) error {
	if i.options.Arrived != nil {
		if err := i.options.Arrived(ctx); err != nil {
			return fmt.Errorf("not everything that the cluster has has arrived: %w", err)
		}
	}
	var missing error
	for {
		var settled bool
		err := i.options.Desk.Ask(ctx, func(s State) { settled = s.Settled() })
		var s Status
		i.options.Recorder.fill(&s)
		switch {
		case err != nil:
			missing = err
		case !settled && s.Configuration.Failure != "":
			missing = fmt.Errorf("Kong does not take the configuration: %s", s.Configuration.Failure)
		case !settled:
			missing = errors.New("Kong has not acknowledged all changes")
		case !s.Configuration.Effective:
			missing = errors.New("some of Kong's workers still use an older configuration")
		default:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", missing, ctx.Err())
		case <-time.After(waitStep):
		}
	}
}
