package backendref

import (
	"fmt"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/kube-sync/kube-sync/translate/field"
	"github.com/kube-sync/kube-sync/translate/gatewayapi/filter"
	"github.com/kube-sync/kube-sync/translate/route"
	"github.com/kube-sync/kube-sync/translate/unit"
)

// setTimeouts sets the timeouts of a backend. A timeout of the whole request is applied to the
// only attempt; a response that arrives in pieces may take longer.
func setTimeouts(b *route.Backend, t *gatewayv1.HTTPRouteTimeouts) error {
	if t == nil {
		return nil
	}
	text, name := t.BackendRequest, "backendRequest"
	if text == nil {
		text, name = t.Request, "request"
	}
	if text == nil {
		return nil
	}
	d, err := time.ParseDuration(string(*text))
	if err != nil {
		return unit.WithFault(fmt.Errorf("timeout %q: %w", *text, err), unit.At(field.NewPath("timeouts", name)))
	}
	if d == 0 { // no limit, which Kong cannot express
		d = unlimited
	}
	milliseconds, none := max(1, int(d.Milliseconds())), 0
	b.ConnectTimeout, b.ReadTimeout, b.WriteTimeout, b.Retries = &milliseconds, &milliseconds, &milliseconds, &none
	return nil
}

// unlimited stands for no timeout: connections do not last longer.
const unlimited = 24 * time.Hour

// duration parses a duration of the field; it is 0 if unset.
func duration(path field.Path, text *gatewayv1.Duration) (time.Duration, error) {
	if text == nil {
		return 0, nil
	}
	d, err := time.ParseDuration(string(*text))
	if err != nil {
		return 0, filter.FieldErrorf(path, "duration %q: %w", *text, err)
	}
	return d, nil
}
